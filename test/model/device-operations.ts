import type { ContentId } from './content-id.ts'
import type { Device } from './device.ts'
import type { DeviceOperation, UserOperation } from './schedule.ts'

/** How many of the files that a device held the log has, just as they were. */
export type FilesInSync = (held: ReadonlyMap<string, ContentId>) => number

const isOfDevice = (operation: UserOperation | DeviceOperation): operation is DeviceOperation => OF_DEVICES.has(operation.tag)

const TAGS: { readonly [tag in DeviceOperation['tag']]: true } = {
  stop: true,
  kill: true,
  killIn: true,
  powerCut: true,
  powerCutIn: true,
  start: true,
  partition: true,
  clockJump: true,
  fill: true,
  free: true,
  deny: true,
  allow: true,
  ioError: true,
  approve: true,
  unmountRoot: true,
  remountRoot: true,
  emptyRoot: true,
  mountOver: true,
  unmountOver: true,
  loseHints: true,
}
const OF_DEVICES: ReadonlySet<string> = new Set(Object.keys(TAGS))

/** Does to a device what a step says; an operation of its user may wait for a coming call of its agent (`race`). */
export const perform = (device: Device, operation: UserOperation | DeviceOperation, race: number, filesInSync: FilesInSync): void => {
  if (!isOfDevice(operation)) return device.perform(operation, race)
  device.say(JSON.stringify(operation))
  act(device, operation, filesInSync)
}

const act = (device: Device, operation: DeviceOperation, filesInSync: FilesInSync): void => {
  const { disk, faults, races } = device
  switch (operation.tag) {
    case 'stop':
      return device.stop()
    case 'kill':
      return device.kill()
    case 'killIn':
      return races.add(operation.calls, () => device.kill(), true)
    case 'powerCut':
      return device.powerCut()
    case 'powerCutIn':
      return races.add(operation.calls, () => device.powerCut(), true)
    case 'start':
      return device.start()
    case 'partition':
      return device.process?.client.partition(operation.ms)
    case 'clockJump':
      return device.jumpClock(operation.ms)
    case 'fill':
      return void (disk.space = operation.left)
    case 'free':
      return void (disk.space = Number.POSITIVE_INFINITY)
    case 'deny':
      return deny(device, operation)
    case 'allow':
      return faults.allow()
    case 'ioError':
      return faults.failIn(operation.calls)
    case 'approve':
      return device.approve()
    case 'loseHints':
      return device.process?.watch.overflow()
    default:
      return actOnRoot(device, operation, filesInSync)
  }
}

type RootOperation = Extract<DeviceOperation, { tag: 'unmountRoot' | 'remountRoot' | 'emptyRoot' | 'mountOver' | 'unmountOver' }>

const actOnRoot = (device: Device, operation: RootOperation, filesInSync: FilesInSync): void => {
  const { disk } = device
  switch (operation.tag) {
    case 'unmountRoot':
      if (!disk.unmounted) device.loseRoot(() => disk.unmountRoot(operation.leaves), filesInSync)
      break
    case 'remountRoot':
      device.returnRoot()
      break
    case 'emptyRoot':
      if (!disk.unmounted) device.loseRoot((user) => user.emptyRoot(operation.marker), filesInSync)
      break
    case 'mountOver':
      device.asUser(() => mountOver(device, operation))
      break
    case 'unmountOver':
      disk.unmountAll()
      break
  }
  device.process?.watch.overflow()
}

const deny = (device: Device, { at }: Extract<DeviceOperation, { tag: 'deny' }>): void =>
  device.asUser(() => {
    const path = device.pathOf(at)
    if (path !== undefined) device.faults.deny(path)
  })

const mountOver = (device: Device, { at }: Extract<DeviceOperation, { tag: 'mountOver' }>): void => {
  const path = device.pathOf(at)
  if (path !== undefined) device.disk.mount(path)
}
