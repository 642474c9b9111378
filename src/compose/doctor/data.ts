import { accessSync, constants, existsSync, readFileSync, statfsSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { X509Certificate } from 'node:crypto'
import type { GatewayConfig } from '../../config.ts'
import { checker, codeOf, type Check } from './check.ts'

const GIB = 1024 ** 3
const LITTLE = 5 * GIB
const TOO_LITTLE = GIB / 2
const DAY_MS = 86_400_000
const RENEW_DAYS = 21

const as = checker('data')

/** The data directory as the user who asks finds it, and the certificate. Nothing is made or changed. */
export const checkData = ({ data, tls }: GatewayConfig, now: number): readonly Check[] => {
  const path = resolve(data)
  const checks = existsSync(path) ? [writable(path), space(path), ...key(path)] : [toBeMade(path), space(nearest(path))]
  return tls === undefined ? checks : [...checks, certificate(tls, now)]
}

const nearest = (path: string): string => (existsSync(path) || dirname(path) === path ? path : nearest(dirname(path)))

const mayWrite = (path: string): boolean => {
  try {
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK)
    return true
  } catch {
    return false
  }
}

const toBeMade = (path: string): Check =>
  mayWrite(nearest(path))
    ? as.ok('directory', `${path} is not there yet: the gateway will make it`)
    : as.failed('failed', 'directory', `${path} is not there, and you may not make it`, 'make it, and give it to the user of the gateway')

const writable = (path: string): Check => {
  if (!statSync(path).isDirectory()) return as.failed('failed', 'directory', `${path} is no directory`, 'give another one with --data')
  if (!mayWrite(path))
    return as.failed(
      'failed',
      'directory',
      `you may not write to ${path}`,
      'run this as the user of the gateway, or give the directory to it',
    )
  return as.ok('directory', path)
}

const space = (path: string): Check => {
  const { bavail, bsize } = statfsSync(path)
  const free = bavail * bsize
  const found = `${(free / GIB).toFixed(1)} GiB free`
  if (free < TOO_LITTLE) return as.failed('failed', 'disk', found, 'make room: a gateway that cannot write refuses changes')
  return free < LITTLE ? as.warning('disk', found, 'make room before it runs out') : as.ok('disk', found)
}

const key = (path: string): readonly Check[] => {
  const file = join(path, 'gateway.pem')
  if (!existsSync(file)) return []
  return (statSync(file).mode & 0o077) === 0
    ? [as.ok('key', 'only its owner can read the gateway’s key')]
    : [as.failed('failed', 'key', `${file} can be read by others`, `run 'chmod 600 ${file}'`)]
}

const certificate = ({ certFile, keyFile }: NonNullable<GatewayConfig['tls']>, now: number): Check => {
  try {
    accessSync(keyFile, constants.R_OK)
    const days = Math.floor((Date.parse(new X509Certificate(readFileSync(certFile)).validTo) - now) / DAY_MS)
    if (days < 0) return as.failed('failed', 'certificate', `${certFile} has expired`, 'renew it, then restart the gateway')
    const found = `${certFile} is valid for ${days} days`
    return days < RENEW_DAYS ? as.warning('certificate', found, 'renew it, then restart the gateway') : as.ok('certificate', found)
  } catch (error) {
    return as.failed('failed', 'certificate', `it or its key cannot be read (${codeOf(error)})`, 'check --tls-cert and --tls-key')
  }
}
