/** What files for production say about where a system runs. */
export interface Deployment {
  /** Lower case; names images, units, namespaces and folders. */
  readonly name: string
  readonly title: string
  /** The name that people type. */
  readonly host: string
  /** Where the image is kept, without tag. */
  readonly image: string
  /** Where the sources are kept. */
  readonly source: string
}

export const defaultDeployment: Deployment = {
  name: 'seaworthy',
  title: 'Seaworthy',
  host: 'app.example.com',
  image: 'registry.example.com/seaworthy',
  source: 'https://git.example.com/seaworthy',
}
