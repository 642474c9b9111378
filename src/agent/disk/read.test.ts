import * as nodeFs from 'node:fs'
import { describe, expect, test } from 'vitest'
import { bytesOf, chunksOf, containing, contentOf, diskFolder, failing, meddled, path } from '../../../test/support/disk.ts'
import { CHUNK_MIN, EMPTY_HASH, MAX_FILE_SIZE, MAX_INLINE_CHUNKS } from '../../domain/content.ts'
import { sha256 } from '../../protocol/hash.ts'
import { INLINE_BYTES } from './port.ts'

const MIB = 1024 * 1024

const noise = (size: number): Uint8Array => {
  const bytes = new Uint8Array(size)
  for (let i = 0, x = 1; i < size; i++) bytes[i] = x = (Math.imul(x, 1_664_525) + 1_013_904_223) >>> 8
  return bytes
}

describe('read', () => {
  test('a small file comes with its bytes, as one chunk', async () => {
    const { disk, at, seen } = await diskFolder()
    nodeFs.writeFileSync(at('f'), 'hello', { mode: 0o755 })
    const expected = await seen('f')
    const content = contentOf(bytesOf('hello'), { executable: true, modified: expected.mtime })
    expect(await disk.read([path('f')])).toEqual([
      { tag: 'read', path: 'f', seen: expected, content, chunks: chunksOf(bytesOf('hello')), bytes: bytesOf('hello') },
    ])
    expect(content.hash).toBe(sha256('hello'))
  })

  test('of an empty file there are no chunks, and the hash of nothing', async () => {
    const { disk, at } = await diskFolder()
    nodeFs.writeFileSync(at('f'), '')
    expect(await disk.read([path('f')])).toMatchObject([
      { content: { size: 0, hash: EMPTY_HASH, manifest: { chunks: [] } }, chunks: [], bytes: new Uint8Array() },
    ])
  })

  test.each([INLINE_BYTES, INLINE_BYTES + 1, CHUNK_MIN, 5 * MIB + 7, 21 * MIB])(
    '%i bytes are chunked as the whole content is',
    async (size) => {
      const { disk, at } = await diskFolder()
      const bytes = noise(size)
      nodeFs.writeFileSync(at('f'), bytes)
      const [reading] = await disk.read([path('f')])
      if (reading?.tag !== 'read') throw new Error('not read')
      expect(reading.chunks).toEqual(chunksOf(bytes))
      expect(reading.content).toEqual(contentOf(bytes, { modified: reading.seen.mtime }))
      expect(reading.bytes?.length).toBe(size <= INLINE_BYTES ? size : undefined)
    },
  )

  test('many chunks are named by a manifest object', async () => {
    const { disk, at } = await diskFolder()
    nodeFs.writeFileSync(at('f'), '')
    nodeFs.truncateSync(at('f'), (MAX_INLINE_CHUNKS + 1) * 4 * MIB)
    expect(await disk.read([path('f')])).toMatchObject([{ content: { manifest: { tag: 'object', size: 36 * (MAX_INLINE_CHUNKS + 1) } } }])
  })

  test('a symlink is the text of its target, a directory nothing', async () => {
    const { disk, at } = await diskFolder()
    nodeFs.symlinkSync('../caf\u00e9', at('l'))
    nodeFs.mkdirSync(at('d'))
    const [link, directory] = await disk.read([path('l'), path('d')])
    expect(link).toMatchObject({
      tag: 'read',
      content: { kind: 'symlink', size: 8, hash: sha256('../caf\u00e9') },
      bytes: bytesOf('../caf\u00e9'),
    })
    expect(directory).toMatchObject({ tag: 'read', content: { kind: 'directory', size: 0, hash: EMPTY_HASH }, chunks: [] })
  })

  test('a symlink whose target is not UTF-8 is reported', async () => {
    const { disk, at } = await diskFolder()
    nodeFs.symlinkSync(Buffer.from([0x61, 0xe9]), at('l'))
    expect(await disk.read([path('l')])).toMatchObject([{ tag: 'failed', error: { tag: 'BadName' } }])
  })

  test('nothing there, not to be read, over the limit: each is told, the rest goes on', async () => {
    const { disk, at } = await diskFolder((fs) => failing(fs, 'open', 'EACCES', (name) => name === 'secret'))
    for (const name of ['secret', 'fine', 'huge']) nodeFs.writeFileSync(at(name), '')
    nodeFs.truncateSync(at('huge'), MAX_FILE_SIZE + 1)
    expect(await disk.read(['none', 'secret', 'huge', 'fine'].map(path))).toMatchObject([
      { tag: 'absent' },
      { tag: 'failed', error: { tag: 'NoPermission' } },
      { tag: 'failed', error: { tag: 'Io', reason: containing('limit') } },
      { tag: 'read' },
    ])
  })

  type Change = 'written' | 'cut' | 'grown' | 'replaced' | 'made a symlink' | 'touched'

  test.each<readonly [Change, 'open' | 'read']>([
    ['written', 'open'],
    ['cut', 'open'],
    ['grown', 'open'],
    ['replaced', 'open'],
    ['made a symlink', 'open'],
    ['written', 'read'],
    ['cut', 'read'],
    ['grown', 'read'],
    ['replaced', 'read'],
    ['made a symlink', 'read'],
    ['touched', 'read'],
  ])('%s before the first %s: unstable', async (change, when) => {
    let at: (name: string) => string = String
    const meddle = (): void => {
      if (change === 'written') nodeFs.writeFileSync(at('f'), 'xx')
      if (change === 'cut') nodeFs.truncateSync(at('f'), 1)
      if (change === 'grown') nodeFs.appendFileSync(at('f'), 'x')
      if (change === 'touched') nodeFs.utimesSync(at('f'), 5, 5)
      if (change === 'replaced' || change === 'made a symlink') nodeFs.unlinkSync(at('f'))
      if (change === 'replaced') nodeFs.writeFileSync(at('f'), 'yy')
      if (change === 'made a symlink') nodeFs.symlinkSync('marker', at('f'))
    }
    const folder = await diskFolder((fs) =>
      meddled(fs, (real) => ({
        open: (name, flags) => (name === 'f' && when === 'open' && meddle(), real.open(name, flags)),
        read: (fd, buffer, position) => (when === 'read' && meddle(), real.read(fd, buffer, position)),
      })),
    )
    at = folder.at
    nodeFs.writeFileSync(at('f'), 'yy')
    nodeFs.utimesSync(at('f'), 7, 7)
    expect(await folder.disk.read([path('f')])).toEqual([{ tag: 'unstable', path: 'f' }])
  })

  test('removed before it is opened: absent', async () => {
    const { disk, at } = await diskFolder((fs) => failing(fs, 'open', 'ENOENT', (name) => name === 'f'))
    nodeFs.writeFileSync(at('f'), '')
    expect(await disk.read([path('f')])).toEqual([{ tag: 'absent', path: 'f' }])
  })
})

describe('readPiece', () => {
  test('reads and verifies a piece', async () => {
    const { disk, at } = await diskFolder()
    nodeFs.writeFileSync(at('f'), 'abcdef')
    const [chunk] = chunksOf(bytesOf('cde'))
    expect(await disk.readPiece(path('f'), 2, chunk!)).toEqual(bytesOf('cde'))
    expect(await disk.readPiece(path('f'), 1, chunk!)).toBeUndefined()
    expect(await disk.readPiece(path('f'), 5, chunk!)).toBeUndefined()
    expect(await disk.readPiece(path('none'), 0, chunk!)).toBeUndefined()
  })
})
