import type { FolderSync } from '../../src/agent/engine/folder-sync.types.ts'
import { CrashSignal } from './filesystem/errors.ts'
import type { SimClient } from './sim-network.ts'
import type { SimWatch } from './sim-watch.ts'

/** One life of a device's agent. Once it is over nothing of it has any effect: its calls throw, its timers and answers never come. */
export class AgentProcess {
  readonly client: SimClient
  readonly watch: SimWatch
  sync: FolderSync | undefined
  alive = true
  stopping = false

  constructor(client: SimClient, watch: SimWatch) {
    this.client = client
    this.watch = watch
  }

  checkAlive(): void {
    if (!this.alive) throw new CrashSignal()
  }

  end(): void {
    this.alive = false
    this.client.abandon()
    this.watch.close()
  }
}
