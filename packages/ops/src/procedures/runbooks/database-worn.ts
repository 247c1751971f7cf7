import { confirm, human, look, type Runbook } from './runbook.ts'

export const databaseWorn: Runbook = {
  title: 'The database needs care',
  symptom:
    'the log says that tables have more dead rows than living, that indexes are not valid, or that old transactions are not frozen',
  steps: [
    look('care', 'which tables and indexes'),
    look('transactions', 'what is open for long keeps old rows alive'),
    look('disk', 'vacuum and new indexes need space'),
    human(
      'end what is open for long: select pg_terminate_backend(PID)',
      'nothing is open for more than a quarter of an hour',
      'transactions',
    ),
    human(
      'as the owner, in psql "$(seaworthy database --as admin)": vacuum TABLE; reindex index concurrently INDEX',
      'no error',
      'care',
    ),
    confirm('care', 'vacuum keeps up, and every index is valid'),
  ],
}
