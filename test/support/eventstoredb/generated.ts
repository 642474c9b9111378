import { createRequire } from 'node:module'
import type * as shared from '@eventstore/db-client/generated/shared_pb.js'
import type * as services from '@eventstore/db-client/generated/streams_grpc_pb.js'
import type * as streams from '@eventstore/db-client/generated/streams_pb.js'

// The generated classes compare by instance, so they must be the very ones that the service definition loaded: by `require`, as it does.
const load = createRequire(import.meta.resolve('@eventstore/db-client'))

/** What the client's package ships of the server's protocol. */
// The files' own type declarations say so; `require` gives no types.
export const Shared = load('../generated/shared_pb.js') as typeof shared
export const Streams = load('../generated/streams_pb.js') as typeof streams
export const { StreamsService } = load('../generated/streams_grpc_pb.js') as typeof services
