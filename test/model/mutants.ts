import type { Invariant } from './trace.ts'

/** A fault put into the product on purpose, as a replacement of its text, and where the model test finds it. */
export interface Mutant {
  /** What it breaks: a schedule must violate just that. */
  readonly invariant: Invariant
  readonly file: string
  /** Occurs exactly once in the file. */
  readonly find: string
  readonly replace: string
  readonly why: string
  /** One whose schedules find it soon. */
  readonly seed: number
}

/**
 * One for each invariant that the model judges (DESIGN.md, section 8). I10, I11 and I16 are not its business: other tests speak of them.
 */
export const MUTANTS: readonly Mutant[] = [
  {
    invariant: 'I1',
    file: 'src/gateway/append.ts',
    find: 'const appended = await insist(deps, stream, expected, events)',
    replace: "void insist(deps, stream, expected, events)\n    const appended = E.right({ position: { order: 0n, token: '' } })",
    why: 'the answer does not wait for the append',
    seed: 5,
  },
  {
    invariant: 'I2',
    file: 'src/agent/engine/pull.ts',
    find: 'for (const entry of entries) ctx.index.applyRemote(entry)',
    replace: 'for (const entry of entries.slice(0, Math.max(1, entries.length - 1))) ctx.index.applyRemote(entry)',
    why: 'an agent loses the last entry of a page',
    seed: 2,
  },
  {
    invariant: 'I3',
    file: 'src/domain/plan/plan.ts',
    find: "if (local.refused !== undefined) return { tag: 'conflict', content: local.content }",
    replace: "if (local.refused !== undefined) return { tag: 'put', version }",
    why: 'where both sides changed, the log wins without a conflict copy',
    seed: 2,
  },
  {
    invariant: 'I4',
    file: 'src/domain/plan/plan.ts',
    find: "if (base !== undefined && base.revision === remote.revision) return { tag: 'publishDeletion', base: base.revision }",
    replace: "if (base !== undefined) return { tag: 'publishDeletion', base: remote.revision }",
    why: 'a deletion speaks of a newer version than its user had seen',
    seed: 2,
  },
  {
    invariant: 'I5',
    file: 'src/projections/state/fold.ts',
    find: 'if (message !== undefined) foldMessage(tables.messages, message)',
    replace: 'if (message === undefined) return',
    why: 'the gateway does not remember which messages it has appended',
    seed: 13,
  },
  {
    invariant: 'I6',
    file: 'src/gateway/writer/folder-writer.ts',
    find: 'const stored = await core.chunks.store(contentsOf(jobs, batch.decided))',
    replace:
      'const stored = E.right(undefined)\n' +
      '      void core.clock.sleep(10).then(() => core.chunks.store(contentsOf(jobs, batch.decided)))',
    why: 'contents are stored after the events that name them, if the gateway lives that long',
    seed: 4,
  },
  {
    invariant: 'I7',
    file: 'src/projections/state/fold.ts',
    find: 'putInto(folder)(touched(event, revision))',
    replace: 'putInto(folder)(touched(event, revision).slice(-1))',
    why: "the gateway's tree keeps a moved file's old path",
    seed: 2,
  },
  {
    invariant: 'I8',
    file: 'src/gateway/handlers/sync.ts',
    find: 'core.state.tree(folder).since(position, PAGE_ENTRIES + 1)',
    replace: 'core.state.tree(folder).since(position, PAGE_ENTRIES + 1).filter(({ content }) => content !== undefined)',
    why: 'a Sync says nothing of what was deleted',
    seed: 2,
  },
  {
    invariant: 'I9',
    file: 'src/agent/engine/outbox.ts',
    find: "if (appended) ctx.index.setMeta('previous', row.batch.head.root)",
    replace: "if (outcomes.length > 0) ctx.index.setMeta('previous', row.batch.head.root)",
    why: 'a message names one as the one before it that the log does not hold',
    seed: 991,
  },
  {
    invariant: 'I12',
    file: 'src/agent/disk/place.ts',
    find: 'fs.rename(staged, path)\n  return doneWith(visit, path, fresh)',
    replace: `const bytes = new Uint8Array(fresh.size)
  const source = fs.open(staged, 'r')
  fs.read(source, bytes, 0)
  fs.close(source)
  const target = fs.open(path, 'r+')
  fs.truncate(target, 0)
  fs.write(target, bytes, 0)
  fs.close(target)
  fs.unlink(staged)
  return doneWith(visit, path, fs.lstat(path))`,
    why: 'a new version is written over the old file, in place',
    seed: 2,
  },
  {
    invariant: 'I13',
    file: 'src/domain/plan/plan.ts',
    find: "if (!known) return { tag: 'touch', version }",
    replace: "if (!known) return { tag: 'conflict', content: local.content }",
    why: 'the same bytes with another time make a conflict copy',
    seed: 2,
  },
  {
    invariant: 'I14',
    file: 'src/agent/disk/session.ts',
    find: 'exactNames: () => (exact ??= tried(fs)) ?? false',
    replace: 'exactNames: () => (exact ??= tried(fs)) !== undefined',
    why: 'every file system is taken for one that keeps all names apart',
    seed: 2,
  },
  {
    invariant: 'I15',
    file: 'src/agent/engine/root.ts',
    find: 'if (marker !== undefined)\n',
    replace: "if (marker === '')\n",
    why: 'a folder without its marker is marked again and published as it is',
    seed: 4,
  },
  {
    invariant: 'I17',
    file: 'src/agent/engine/adopt.ts',
    find: 'const error = await ctx.deps.disk.persist(group.map(({ path }) => path))',
    replace: 'const error: { readonly reason: string } | undefined = undefined',
    why: 'a base is recorded while its content is in the page cache only',
    seed: 4,
  },
  {
    invariant: 'I18',
    file: 'src/domain/decide/remove.ts',
    find: "if (present.content.kind === 'directory' && view.hasLiveUnder(path)) return",
    replace: 'if (present.revision < 0) return',
    why: 'a folder is deleted from under what lives in it',
    seed: 2,
  },
]

export const mutantOf = (invariant: string | null): Mutant => {
  const mutant = MUTANTS.find((each) => each.invariant === invariant)
  if (mutant === undefined) throw new Error(`there is no mutant for ${invariant}`)
  return mutant
}

/** The file's text with the fault in it. */
export const mutate = ({ invariant, file, find, replace }: Mutant, text: string): string => {
  const [before, after, ...more] = text.split(find)
  if (before === undefined || after === undefined || more.length > 0) {
    throw new Error(
      `the mutant for ${invariant} no longer fits: ${file} holds its text ${more.length + (after === undefined ? 0 : 1)} times, not once:\n${find}`,
    )
  }
  return before + replace + after
}
