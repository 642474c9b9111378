/**
 * What the commands are made of. Each part is loaded when a command asks for it, so that a command loads only the adapters that it uses; the
 * files under compose/ are the only ones that name adapters.
 */
export { serverUrl } from './compose/server-url.ts'

export const gateway = () => import('./compose/gateway.ts')
export const account = () => import('./compose/account.ts')
export const agent = () => import('./compose/agent.ts')
export const folders = () => import('./compose/folders.ts')
export const conflicts = () => import('./compose/conflicts.ts')
export const deadLetters = () => import('./compose/dead-letters.ts')
export const retention = () => import('./compose/retention.ts')
export const doctor = () => import('./compose/doctor.ts')
export const audit = () => import('./compose/audit.ts')
export const auditLog = () => import('./compose/audit-log.ts')
export const auditAccountLog = () => import('./compose/audit-account-log.ts')
export const auditMoments = () => import('./compose/audit-moments.ts')
export const auditCheckpoint = () => import('./compose/audit-checkpoint.ts')
export const auditWitness = () => import('./compose/audit-witness.ts')
export const auditExport = () => import('./compose/audit-export.ts')
export const auditVerifyDevice = () => import('./compose/audit-verify-device.ts')
export const auditVerify = () => import('./compose/audit-verify.ts')
export const auditVersions = () => import('./compose/audit-versions.ts')
export const auditRestore = () => import('./compose/audit-restore.ts')
export const auditReplay = () => import('./compose/audit-replay.ts')
export const auditStep = () => import('./compose/audit-step.ts')
export const auditReport = () => import('./compose/audit-report.ts')
