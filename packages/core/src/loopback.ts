const names = ['localhost', '::1', '[::1]']

/** Whether a host name or an address, with or without brackets, is this machine: what goes there passes no network. */
export const isLoopback = (host: string): boolean => names.includes(host) || /^127(\.\d{1,3}){3}$/.test(host)
