/**
 * What runs releases on this host. A release is started with the environment of `run/<release>.env`, answers on
 * `run/<release>.sock`, and goes on when the command that started it ends or is killed.
 */
export interface Runner {
  readonly name: string
  /** Returns when it was started, not when it is ready. Nothing when it runs already. */
  start(release: string): Promise<void>
  /** Asks it to finish what is under way; what is left at the deadline is killed. Nothing when it does not run. */
  stop(release: string, deadlineMs: number): Promise<void>
  isAlive(release: string): Promise<boolean>
  /** The last lines that it wrote. */
  logs(release: string): Promise<string>
}
