import { beforeEach } from 'vitest'
import { serverFor } from '../servers/server.ts'

// Runs before each test file of a project for this profile. In CI a missing server is an error.
const servers = await Promise.all([serverFor('rabbitmq'), serverFor('s3')])

if (servers.includes(undefined)) beforeEach(({ skip }) => skip('the distributed profile needs RabbitMQ and an S3 server'))
