import { parentPort } from 'node:worker_threads'
import { verify } from '../protocol/signing.ts'

/** What is asked of the thread: the arguments of `verify`. Its answers come in the order of the questions. */
export type Question = readonly [publicKey: string, text: string, signature: string]

const port = parentPort
if (port === null) throw new Error('this module is a worker thread')
port.on('message', (questions: readonly Question[]) =>
  port.postMessage(questions.map(([publicKey, text, signature]) => verify(publicKey, text, signature))),
)
