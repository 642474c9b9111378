import { agent } from './agent.ts'
import { agents } from './agents.ts'
import { approveDeletions } from './approve-deletions.ts'
import { audit } from './audit.ts'
import { conflicts } from './conflicts.ts'
import { deadLetters } from './dead-letters.ts'
import { demo } from './demo.ts'
import { doctor } from './doctor.ts'
import { concludeFault } from './outcome.ts'
import { createProgram, parseArguments } from './program.ts'
import { register } from './register.ts'
import { retention } from './retention.ts'
import { serve } from './serve.ts'
import { status } from './status.ts'
import { user } from './user.ts'

const program = createProgram([
  demo,
  serve,
  user,
  register,
  agents,
  agent,
  status,
  conflicts,
  approveDeletions,
  audit,
  retention,
  doctor,
  deadLetters,
])

// Whoever reads the output may go away before its end: that ends nothing.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)

try {
  process.exitCode = (await parseArguments(program, process.argv)) ?? process.exitCode
} catch (error) {
  concludeFault(error, process.argv.includes('--verbose'))
}
