import type { Answer, Code } from '../protocol/messages.ts'
import type { AppendFailure } from './append.ts'

export type Refused = Extract<Answer, { tag: 'Refused' }>

export const refused = (status: Refused['status'], code: Code, reason: string): Refused => ({ tag: 'Refused', status, code, reason })

/** What a client is told of a failure of ours: never its details, which are the operator's. */
export const failed = (failure: { readonly tag: AppendFailure['tag'] | 'NotFound' | 'Damaged' }): Refused => {
  switch (failure.tag) {
    case 'Full':
      return refused(507, 'full', 'the gateway has no space left')
    case 'Unavailable':
      return refused(503, 'busy', 'the gateway cannot store or read now: try again')
    case 'Fault':
    case 'NotFound':
    case 'Damaged':
      return refused(500, 'fault', 'the gateway failed')
  }
}

export const DONE: Answer = { tag: 'Done', status: 200 }
