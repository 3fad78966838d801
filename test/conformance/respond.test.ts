/** Every dialect at the KME of the site that responds. */
import { describeSide } from './suite.js';

describeSide('b');
