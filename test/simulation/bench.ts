import { Dice } from './dice.js';
import { randomScenario, QUIET } from './scenario.js';
import { simulate } from './simulation.js';
Error.stackTraceLimit = process.argv.includes('trace') ? 10 : 0;
setImmediate(() => {
  const from = Number(process.argv[2]),
    n = Number(process.argv[3]);
  const t = performance.now(),
    c = process.cpuUsage();
  const found = new Map<string, number[]>();
  const contacts: number[] = [];
  let steps = 0,
    saved = 0;
  for (let seed = from; seed < from + n; seed++) {
    const dice = new Dice(seed);
    const scenario = process.argv.includes('quiet') ? QUIET : randomScenario(dice);
    const trace = process.argv.includes('trace')
      ? (l: string) => {
          console.log(l);
        }
      : undefined;
    if (trace) console.log(JSON.stringify(scenario));
    const v = simulate(dice, scenario, trace);
    if (process.argv.includes('first') && v.violations.length) {
      console.log(seed, v.violations[0], 'cpu', (process.cpuUsage(c).user / 1e6).toFixed(1));
      process.exit();
    }
    steps += v.steps;
    saved += v.saved;
    contacts[v.contacts] = (contacts[v.contacts] ?? 0) + 1;
    for (const x of v.violations) {
      const k = x
        .replace(/[0-9a-f]{32}/g, 'ID')
        .replace(/\b[AB]\d+\./g, '')
        .replace(/key-\d+/g, 'KEY')
        .replace(/_\d+/g, '_N')
        .slice(0, 150);
      const l = found.get(k) ?? [];
      l.push(seed);
      found.set(k, l);
    }
  }
  const u = process.cpuUsage(c);
  console.log(
    n / ((u.user + u.system) / 1e6),
    'runs/s cpu',
    n / ((performance.now() - t) / 1e3),
    'wall; steps',
    steps / n,
    'saved',
    saved / n,
    'contacts',
    contacts,
  );
  for (const [k, l] of [...found].sort((a, b) => b[1].length - a[1].length))
    console.log(l.length, k, l.slice(0, 4));
});
