import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

export const INFRA = join(import.meta.dirname, '../../infra')

export const read = (name: string): string => readFileSync(join(INFRA, name), 'utf8')

/** Of a service, what the tests look at. */
export interface Service {
  readonly image: string
  readonly hostname?: string
  readonly restart?: string
  readonly ports?: readonly string[]
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly environment?: Readonly<Record<string, string>>
  readonly volumes?: readonly string[]
  readonly secrets?: readonly string[]
  readonly networks: readonly string[] | Readonly<Record<string, { readonly aliases?: readonly string[] }>>
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly deploy?: { readonly resources?: { readonly limits?: Readonly<Record<string, unknown>> } }
  readonly security_opt?: readonly string[]
  readonly read_only?: boolean
  readonly cap_drop?: readonly string[]
}

export interface ComposeFile {
  readonly services: Readonly<Record<string, Service>>
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>
  readonly secrets: Readonly<Record<string, { readonly file: string }>>
}

export const COMPOSE_FILES = ['docker-compose.yml', 'docker-compose.cluster.yml'] as const

export const parsed = (text: string): unknown => parse(text, { merge: true })

/** A file that the schema has found good has this form. */
export const composeFile = (name: string): ComposeFile => parsed(read(name)) as ComposeFile

type Networks = Exclude<Service['networks'], readonly string[]>

/** A list of networks is short for one without options. */
const withOptions = ({ networks }: Service): Networks => {
  const isList = (value: Service['networks']): value is readonly string[] => Array.isArray(value)
  return isList(networks) ? Object.fromEntries(networks.map((network) => [network, {}])) : networks
}

export const networksOf = (service: Service): readonly string[] => Object.keys(withOptions(service))

/** The names under which a service is found on a network. */
export const namesOf = (name: string, service: Service, network: string): readonly string[] => [
  name,
  ...(withOptions(service)[network]?.aliases ?? []),
]
