// Audits the server at the address given as the last argument; prints what each audit says, as JSON.
import { auditServer } from "graphql-http";

const results = await auditServer({ url: process.argv.at(-1) });
const told = results.map(({ id, name, status, reason }) => ({ id, name, status, reason }));
process.stdout.write(JSON.stringify(told));
