/**
 * The process that stops an embedded server whose last member was killed: started with the server,
 * arguments: the home, and the pid of the starter.
 */
import { guardServer } from './guardian.ts'

guardServer(process.argv[2] ?? '', Number(process.argv[3])).then(
  () => process.exit(0),
  () => process.exit(1),
)
