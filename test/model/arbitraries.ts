import fc from 'fast-check'
import type {
  DeviceOperation,
  DeviceTraits,
  GatewayOperation,
  NetworkTraits,
  Schedule,
  Step,
  Text,
  UserOperation,
  Where,
} from './schedule.ts'

const NFC = '\u00e9'
const NFD = 'e\u0301'

/** Few names, so that devices meet; some are used for files and for folders, some differ only in case or Unicode form. */
export const NAMES = [
  'a',
  'b',
  'A',
  'c.txt',
  'd',
  'd/a',
  'd/b',
  'd/c.txt',
  'd/e',
  'd/e/a',
  'D',
  'D/a',
  'f',
  'f/a',
  NFC,
  NFD,
  'B',
  'x'.repeat(250),
  'n\nl',
  ' s',
] as const

/** Names that fast-check shrinks towards come first. */
const name = fc.constantFrom(...NAMES).map((each) => ({ name: each }))
const nth = fc.nat(20).map((each) => ({ nth: each }))
const there: fc.Arbitrary<Where> = fc.oneof({ arbitrary: nth, weight: 3 }, { arbitrary: name, weight: 1 })
const anywhere: fc.Arbitrary<Where> = fc.oneof({ arbitrary: name, weight: 2 }, { arbitrary: nth, weight: 1 })

const text: fc.Arbitrary<Text> = fc.oneof(
  { arbitrary: fc.record({ tag: fc.constant('fresh' as const), size: fc.constant('short' as const) }), weight: 12 },
  { arbitrary: fc.record({ tag: fc.constant('fresh' as const), size: fc.constantFrom('long' as const, 'large' as const) }), weight: 2 },
  { arbitrary: fc.record({ tag: fc.constant('equal' as const), nth: fc.nat(2) }), weight: 3 },
  { arbitrary: fc.record({ tag: fc.constant('old' as const), nth: fc.nat(30) }), weight: 2 },
  { arbitrary: fc.constant({ tag: 'empty' as const }), weight: 1 },
)

const pause = fc.constantFrom(0, 1, 5, 30, 120, 700, 2_500, 6_000)

const operation = <Tag extends string, Rest extends object>(
  tag: Tag,
  rest: { [key in keyof Rest]: fc.Arbitrary<Rest[key]> },
): fc.Arbitrary<{ tag: Tag } & Rest> =>
  // Without constraints on which keys are required, `record` makes all of them.
  fc.record(rest).map((fields) => ({ tag, ...(fields as Rest) }))

/** An operation's share of all. */
const share = <T>(weight: number, arbitrary: fc.Arbitrary<T>) => ({ arbitrary, weight })

const how = fc.constantFrom(
  'atOnce' as const,
  'atOnce' as const,
  'twoSteps' as const,
  'renamed' as const,
  'backup' as const,
  'append' as const,
  'overwrite' as const,
)

const user: fc.Arbitrary<UserOperation> = fc.oneof(
  share(16, operation('write', { at: anywhere, text, how, pause, synced: fc.boolean() })),
  share(8, operation('write', { at: there, text, how, pause, synced: fc.boolean() })),
  share(3, operation('hold', { at: there, writes: fc.integer({ min: 1, max: 4 }), pause })),
  share(5, operation('remove', { at: there })),
  share(2, operation('removeTree', { at: there })),
  share(7, operation('move', { from: there, to: anywhere })),
  share(2, operation('cycle', { nths: fc.array(fc.nat(20), { minLength: 2, maxLength: 3 }), pause })),
  share(3, operation('mkdir', { at: anywhere })),
  share(3, operation('replace', { at: there, by: fc.constantFrom('file' as const, 'directory' as const, 'symlink' as const) })),
  share(2, operation('symlink', { at: anywhere, target: fc.constantFrom('a', 'd', '../a', '/etc', 'nowhere') })),
  share(1, operation('link', { from: there, to: anywhere })),
  share(2, operation('chmod', { at: there })),
  share(2, operation('touch', { at: there, agoMs: fc.constantFrom(0, 1_000, 86_400_000) })),
  share(2, operation('copy', { from: there, to: anywhere, keepsTime: fc.boolean() })),
  share(2, operation('respell', { at: there, form: fc.constantFrom('case' as const, 'unicode' as const) })),
  share(1, operation('ignore', { directory: fc.constantFrom('', 'd'), names: fc.subarray(['b', 'e', 'c.txt']) })),
  share(1, operation('special', { name: fc.constantFrom('socket', 'bad\udcff') })),
  share(1, operation('sync', {})),
)

const calls = fc.integer({ min: 1, max: 40 })

const device: fc.Arbitrary<DeviceOperation> = fc.oneof(
  share(3, operation('stop', {})),
  share(2, operation('kill', {})),
  share(3, operation('killIn', { calls })),
  share(1, operation('powerCut', {})),
  share(3, operation('powerCutIn', { calls })),
  share(5, operation('start', {})),
  share(4, operation('partition', { ms: fc.constantFrom(500, 4_000, 30_000) })),
  share(2, operation('clockJump', { ms: fc.constantFrom(-86_400_000, -2_500, 1_500, 86_400_000) })),
  share(2, operation('fill', { left: fc.nat(60) })),
  share(2, operation('free', {})),
  share(2, operation('deny', { at: there })),
  share(2, operation('allow', {})),
  share(2, operation('ioError', { calls })),
  share(1, operation('approve', {})),
  share(1, operation('unmountRoot', { leaves: fc.constantFrom('nothing' as const, 'emptyDirectory' as const) })),
  share(2, operation('remountRoot', {})),
  share(1, operation('emptyRoot', { marker: fc.boolean() })),
  share(1, operation('mountOver', { at: there })),
  share(1, operation('unmountOver', {})),
  share(1, operation('loseHints', {})),
)

const gateway: fc.Arbitrary<GatewayOperation> = fc.oneof(
  operation('killGateway', {}),
  operation('killGatewayIn', { appends: fc.integer({ min: 1, max: 4 }) }),
)

const step: fc.Arbitrary<Step> = fc.record({
  gap: fc.constantFrom(0, 0, 1, 10, 60, 60, 300, 300, 2_500, 12_000),
  device: fc.nat(3),
  race: fc.oneof({ arbitrary: fc.constant(0), weight: 3 }, { arbitrary: fc.integer({ min: 1, max: 30 }), weight: 2 }),
  operation: fc.oneof<fc.WeightedArbitrary<Step['operation']>[]>(share(14, user), share(4, device), share(1, gateway)),
})

const traits: fc.Arbitrary<DeviceTraits> = fc.record({
  folding: fc.oneof(
    share(8, fc.constant('exact' as const)),
    share(3, fc.constantFrom('case' as const, 'unicode' as const, 'caseAndUnicode' as const)),
  ),
  tick: fc.constantFrom('fine' as const, 'tenMs' as const, 'twoSeconds' as const),
  reusesInodes: fc.boolean(),
  readSize: fc.constantFrom(1 << 20, 80),
  skewMs: fc.constantFrom(0, 0, 3_000, -3_000, 7_200_000),
  hardLinks: fc.oneof(share(5, fc.constant(true)), share(1, fc.constant(false))),
  initialFiles: fc.oneof(share(3, fc.constant(0)), share(1, fc.constantFrom(3, 14))),
})

const network: fc.Arbitrary<NetworkTraits> = fc.record({
  latencyMs: fc.constantFrom(1, 20, 300),
  loss: fc.constantFrom(0, 0.02, 0.1),
  duplication: fc.constantFrom(0, 0.05, 0.2),
  hintLoss: fc.constantFrom(0, 0.1, 1),
})

export const schedule = (steps: number): fc.Arbitrary<Schedule> =>
  fc.record({
    devices: fc.array(traits, { minLength: 2, maxLength: 4 }),
    network,
    steps: fc.array(step, { minLength: 1, maxLength: steps, size: 'max' }),
  })
