/** The door to this room: what functions, operators, casts and writes do to regulated values. */
import type { RoutineLineage } from '../port.ts';
import { assign, unique } from './assign.ts';
import { castOf } from './casts.ts';
import { operatorOf } from './operators.ts';
import { routineOf } from './routine-of.ts';

export { LISTED, showsValues } from './system-values.ts';

export const ROUTINES: RoutineLineage = { routineOf, operatorOf, castOf, assign, unique };
