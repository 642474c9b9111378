/** An IPv4 address that arrived through an IPv6 socket is the same address. */
export const plainAddress = (address: string | undefined): string => (address ?? '').replace(/^::ffff:(?=\d+\.)/, '')

export const isLoopback = (address: string): boolean => address === '::1' || address.startsWith('127.')
