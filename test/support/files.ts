import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Names that a Linux file system holds, and that careless programs lose. */
export const ODD_NAMES: readonly string[] = [
  'line\nbreak.txt',
  ' leading space',
  'trailing space ',
  'back\\slash',
  'quote"\'s',
  '-rf',
  '..almost',
  '...',
  'tab\there',
  '\u0001control',
  '*?[glob]',
  'n'.repeat(255),
  'é'.normalize('NFC'),
  'é'.normalize('NFD'),
  'a',
  'A',
  '日本語.txt',
  '🎉 party',
  'CON',
  'name.',
  '%41',
  '#hash#',
  'file~',
  '.hidden',
]

/** A folder of so many small files, with everything else that is kept: symlinks, empty files and folders, executable bits, times. */
export const writeTree = (root: string, files: number): void => {
  for (let i = 0; i < files; i += 1) {
    const directory = join(root, `d${i % 17}`, `e${i % 5}`)
    mkdirSync(directory, { recursive: true })
    const file = join(directory, `file-${i}.txt`)
    writeFileSync(file, `content of ${i}\n${randomBytes(i % 3000).toString('base64')}`)
    if (i % 7 === 0) chmodSync(file, 0o755)
    if (i % 3 === 0) utimesSync(file, 1_000_000_000 + i, 1_000_000_000 + i + 0.123456)
  }
  mkdirSync(join(root, 'empty', 'folder'), { recursive: true })
  writeFileSync(join(root, 'empty file'), '')
  symlinkSync('d1/e1', join(root, 'link to a folder'))
  symlinkSync('nowhere/at all', join(root, 'broken link'))
  symlinkSync('/etc/hostname', join(root, 'link outside'))
}
