import type { Folding } from './filesystem/names.ts'

/** A path that an operation is about: by name, or the so-manieth of those that are there (of a kind) when it runs. */
export type Where = { readonly name: string } | { readonly nth: number }

/** New text that nobody wrote before, one of a few equal texts, nothing, or an old text of any path. */
export type Text =
  | { readonly tag: 'fresh'; readonly size: 'short' | 'long' | 'large' }
  | { readonly tag: 'equal'; readonly nth: number }
  | { readonly tag: 'empty' }
  | { readonly tag: 'old'; readonly nth: number }

/** How a program writes a file: at once; cut to nothing first, the text after a pause; a temporary file renamed over it; the old one kept aside meanwhile; at its end; over its beginning. */
export type Writing = 'atOnce' | 'twoSteps' | 'renamed' | 'backup' | 'append' | 'overwrite'

/** What a person or a program does in a device's folder. */
export type UserOperation =
  | {
      readonly tag: 'write'
      readonly at: Where
      readonly text: Text
      readonly how: Writing
      readonly pause: number
      readonly synced: boolean
    }
  /** Keeps a file open, and writes into it now and then. */
  | { readonly tag: 'hold'; readonly at: Where; readonly writes: number; readonly pause: number }
  | { readonly tag: 'remove'; readonly at: Where }
  | { readonly tag: 'removeTree'; readonly at: Where }
  | { readonly tag: 'move'; readonly from: Where; readonly to: Where }
  | { readonly tag: 'cycle'; readonly nths: readonly number[]; readonly pause: number }
  | { readonly tag: 'mkdir'; readonly at: Where }
  | { readonly tag: 'replace'; readonly at: Where; readonly by: 'file' | 'directory' | 'symlink' }
  | { readonly tag: 'symlink'; readonly at: Where; readonly target: string }
  | { readonly tag: 'link'; readonly from: Where; readonly to: Where }
  | { readonly tag: 'chmod'; readonly at: Where }
  | { readonly tag: 'touch'; readonly at: Where; readonly agoMs: number }
  | { readonly tag: 'copy'; readonly from: Where; readonly to: Where; readonly keepsTime: boolean }
  | { readonly tag: 'respell'; readonly at: Where; readonly form: 'case' | 'unicode' }
  | { readonly tag: 'ignore'; readonly directory: string; readonly names: readonly string[] }
  | { readonly tag: 'special'; readonly name: string }
  | { readonly tag: 'sync' }

/** What happens to a device. */
export type DeviceOperation =
  | { readonly tag: 'stop' }
  | { readonly tag: 'kill' }
  /** The process is killed before the so-manieth of its next calls to the disk. */
  | { readonly tag: 'killIn'; readonly calls: number }
  | { readonly tag: 'powerCut' }
  | { readonly tag: 'powerCutIn'; readonly calls: number }
  | { readonly tag: 'start' }
  | { readonly tag: 'partition'; readonly ms: number }
  | { readonly tag: 'clockJump'; readonly ms: number }
  | { readonly tag: 'fill'; readonly left: number }
  | { readonly tag: 'free' }
  | { readonly tag: 'deny'; readonly at: Where }
  | { readonly tag: 'allow' }
  | { readonly tag: 'ioError'; readonly calls: number }
  | { readonly tag: 'approve' }
  | { readonly tag: 'unmountRoot'; readonly leaves: 'nothing' | 'emptyDirectory' }
  | { readonly tag: 'remountRoot' }
  /** `rm -rf` of all that is in the folder; the marker too, or not. */
  | { readonly tag: 'emptyRoot'; readonly marker: boolean }
  | { readonly tag: 'mountOver'; readonly at: Where }
  | { readonly tag: 'unmountOver' }
  | { readonly tag: 'loseHints' }

export type GatewayOperation = { readonly tag: 'killGateway' } | { readonly tag: 'killGatewayIn'; readonly appends: number }

export interface Step {
  /** Milliseconds after the step before it. */
  readonly gap: number
  /** Which device (modulo their number). */
  readonly device: number
  /** 0: at that time; n: right before the n-th call to the disk that the device's agent makes from then on. */
  readonly race: number
  readonly operation: UserOperation | DeviceOperation | GatewayOperation
}

export interface DeviceTraits {
  readonly folding: Folding
  readonly tick: 'fine' | 'tenMs' | 'twoSeconds'
  readonly reusesInodes: boolean
  readonly readSize: number
  readonly skewMs: number
  readonly hardLinks: boolean
  /** Files that are in the folder before its agent first runs. */
  readonly initialFiles: number
}

export interface NetworkTraits {
  readonly latencyMs: number
  /** Chances of each message. */
  readonly loss: number
  readonly duplication: number
  readonly hintLoss: number
}

/** A whole run, as data: with a seed, it says all. */
export interface Schedule {
  readonly devices: readonly DeviceTraits[]
  readonly network: NetworkTraits
  readonly steps: readonly Step[]
}
