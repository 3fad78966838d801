/** Every planted bug, in the order of the table. */
import { FURTHER_BUGS } from './further.js';
import { MODEL_BUGS } from './model.js';
import type { PlantedBug } from './planted-bug.js';

export const BUGS: readonly PlantedBug[] = [...MODEL_BUGS, ...FURTHER_BUGS];
