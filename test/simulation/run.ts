/** Runs one scenario from its beginning to its verdict. */
import { remainsOf } from './cut-off.js';
import type { Dice } from './dice.js';
import type { Scenario } from './scenario.js';
import { Simulation } from './simulation.js';
import type { Verdict } from './verdict.js';

/** From a macrotask. Never throws: what is wrong is in the verdict. */
export function simulate(dice: Dice, scenario: Scenario, trace?: (line: string) => void): Verdict {
  const { cutOff } = scenario;
  const remains = cutOff && remainsOf(cutOff);
  const simulation = new Simulation(dice, scenario, trace);
  try {
    simulation.begin(remains);
    simulation.run();
  } catch (error) {
    simulation.complain(
      `the simulation failed: ${error instanceof Error ? String(error.stack) : String(error)}`,
    );
  }
  return simulation.verdict();
}
