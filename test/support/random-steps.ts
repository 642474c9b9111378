import fc from 'fast-check'
import type { Change } from '../../src/domain/change.ts'
import { directoryContent, type Content } from '../../src/domain/content.ts'
import type { FolderId } from '../../src/domain/events.ts'
import { manifestOf } from '../../src/protocol/manifest.ts'
import { contentHash } from '../../src/protocol/merkle.ts'
import { witnessText } from '../../src/protocol/signing.ts'
import { bytesOf, chunkOf, deleting, enrol, textFile, type World } from './gateway.ts'
import { path } from './memory-tree.ts'

const large = (seed: number): { readonly content: Content; readonly pieces: readonly Buffer[] } => {
  const pieces = Array.from({ length: 34 }, (_, index) => Buffer.alloc(index + 1, seed))
  const chunks = pieces.map(chunkOf)
  const { manifest, object } = manifestOf(chunks)
  const size = chunks.reduce((sum, chunk) => sum + chunk.size, 0)
  return {
    content: { ...textFile(''), size, hash: contentHash(chunks), manifest },
    pieces: object === undefined ? pieces : [object, ...pieces],
  }
}

const names = ['a', 'b', 'd', 'd/a', 'd/e/b']
/** One thing that one of two devices of an account does in its folder. */
export const anyStep = fc.record({
  device: fc.boolean(),
  kind: fc.constantFrom('put', 'put', 'directory', 'delete', 'move', 'large', 'stale', 'hold', 'witness'),
  name: fc.constantFrom(...names),
  to: fc.constantFrom(...names),
  text: fc.constantFrom('X', 'Y', 'Z'),
  /** Clocks may be set back. */
  pause: fc.constantFrom(0, 1, 1000, 60_000, -500),
})
export type Step = typeof anyStep extends fc.Arbitrary<infer A> ? A : never

const changeOf = ({ kind, name, to, text }: Step, base: number): Change => {
  switch (kind) {
    case 'directory':
      return { tag: 'create', path: path(name), content: directoryContent('1'), base: 'none' }
    case 'delete':
      return deleting(name, base)
    case 'move':
      return { tag: 'move', from: path(name), path: path(to === name ? `${to}2` : to), content: textFile(text), base }
    case 'large':
      return { tag: 'update', path: path(name), content: large(text.charCodeAt(0)).content, base: 'any' }
    case 'stale':
      return { tag: 'update', path: path(name), content: textFile(text), base: 1 }
    case 'hold':
      return { tag: 'hold', count: 10, reason: 'everything' }
    default:
      return { tag: 'update', path: path(name), content: textFile(text), base }
  }
}

export const play = async (world: World, steps: readonly Step[]): Promise<FolderId> => {
  const devices = [await enrol(world, 1), await enrol(world, 2)] as const
  for (const step of steps) {
    world.clock.advance(step.pause)
    const device = step.device ? devices[0] : devices[1]
    const { folder, key, signer } = device
    const { state } = world.gateway.deps
    const head = state.head(`folder-${folder}`)
    if (step.kind === 'witness') {
      world.clock.advance(61_000)
      const position = head?.revision ?? 0
      const chain = head?.chain ?? ''
      await device.ask({ tag: 'Synced', key, folder, position, chain, signature: signer.sign(witnessText(folder, position, chain)) })
      continue
    }
    if (step.kind === 'large') await device.upload(large(step.text.charCodeAt(0)).pieces)
    const base = state.tree(folder).get(path(step.name))?.revision ?? 0
    await device.change([changeOf(step, base)], step.kind === 'large' ? {} : { contents: [bytesOf(step.text)] })
  }
  return devices[0].folder
}
