import * as E from 'fp-ts/lib/Either.js'
import { readCheckpoint } from '../protocol/folder-checkpoint.ts'
import { isWitnessPage, readWitness } from '../protocol/folder-witness.ts'
import { folderStream } from '../protocol/streams.ts'
import type { Claim } from './verify/claims.ts'

/** What a page that somebody kept elsewhere says of a log. */
export interface OutsideWord {
  /** The gateway of which it speaks. */
  readonly gatewayKey: string
  readonly claims: readonly Claim[]
}

/** Reads an exported checkpoint or a device's witness; `name` is what its faults call it. Left: why it can't be believed. */
export const readOutside = (text: string, name: string): E.Either<string, OutsideWord> =>
  isWitnessPage(text) ? ofWitness(text, name) : ofCheckpoint(text, name)

const ofCheckpoint = (text: string, name: string): E.Either<string, OutsideWord> =>
  E.Monad.map(readCheckpoint(text), ({ folder, position: revision, chain, time, gatewayKey }) => ({
    gatewayKey,
    claims: [{ stream: folderStream(folder), revision, chain, kind: 'checkpoint', by: `the checkpoint ${name} of ${time}` }],
  }))

const ofWitness = (text: string, name: string): E.Either<string, OutsideWord> =>
  E.Monad.map(readWitness(text), ({ folder, position: revision, chain, time, gatewayKey, agent, accepted }) => {
    const stream = folderStream(folder)
    const receipt: readonly Claim[] =
      accepted === undefined
        ? []
        : [{ stream, revision: accepted.position, chain: accepted.chain, kind: 'checkpoint', by: `the gateway's own receipt in ${name}` }]
    return {
      gatewayKey,
      claims: [{ stream, revision, chain, kind: 'witness', by: `${name}, of the device ${agent}, ${time}` }, ...receipt],
    }
  })
