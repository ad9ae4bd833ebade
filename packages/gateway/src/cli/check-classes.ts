import type { CountersignConfig, PostgresTargetConfig } from '../config/config.ts';
import { defaultRules } from '../config/masking-section.ts';
import { optionsOf, warningsOf } from '../gateway/masking.ts';
import type { CatalogData } from '../postgres/catalog/catalog.ts';
import { type ClassificationWarning, classifyCatalog } from '../postgres/classify/classify-catalog.ts';
import type { Finding } from '../postgres/roles/check-target.ts';

/** What `countersign target check` says of where the classes of columns come from. */
export function checkClasses(
  { masking }: CountersignConfig,
  target: PostgresTargetConfig,
  catalog: CatalogData,
): readonly Finding[] {
  const { data, warnings } = classifyCatalog(catalog, optionsOf(target, masking?.rules ?? defaultRules()));
  if (masking === undefined) return notMasked(data.relations.length);
  return KINDS.flatMap(({ id, severity, problems, why }): readonly Finding[] => {
    const of = warnings.filter(({ problem }) => problems.includes(problem));
    return warningsOf(target, catalog, of).map((what) => ({ id, severity, what, why }));
  });
}

function notMasked(relations: number): readonly Finding[] {
  if (relations === 0) return [];
  return [
    {
      id: 'classes-not-masked',
      severity: 'high',
      what: `comments or labels give classes to columns of ${relations} relations, and the configuration has no section masking`,
      why: 'whoever wrote them takes the columns for masked, and they are not',
    },
  ];
}

interface Kind extends Omit<Finding, 'what'> {
  readonly problems: readonly ClassificationWarning['problem'][];
}

const KINDS: readonly Kind[] = [
  {
    id: 'class-of-nothing',
    severity: 'medium',
    problems: ['no-relation', 'no-column'],
    why: 'it was renamed or dropped: under another name it is not masked by the configuration',
  },
  {
    id: 'class-not-understood',
    severity: 'medium',
    problems: ['unreadable', 'unknown', 'conflict'],
    why: 'nobody sees it but who may see everything',
  },
  {
    id: 'class-overruled',
    severity: 'low',
    problems: ['overruled'],
    why: 'two places say different things, and one of them is wrong',
  },
];
