/** `npm start`: sets up what is missing, then runs the demo. Arguments go to `countersign demo`. */
import { join } from 'node:path';
import { ROOT, childEnvironment, prepare, runInPlace } from './project.mjs';

const node = prepare();
const main = join(ROOT, 'packages', 'gateway', 'src', 'cli', 'main.ts');
process.exitCode = await runInPlace(node, [main, 'demo', ...process.argv.slice(2)], {
  env: childEnvironment(node),
});
