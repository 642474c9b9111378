import { extname } from 'node:path'

/**
 * The URL of a worker's module that lies beside (or relative to) its caller: `new Worker(workerUrl('./disk-worker', import.meta.url))`.
 * The name goes without an extension: a worker is TypeScript where its caller is, and JavaScript in a compiled package.
 */
export const workerUrl = (name: `./${string}` | `../${string}`, caller: string): URL => new URL(name + extname(caller), caller)
