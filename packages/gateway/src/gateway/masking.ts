import type { CountersignConfig, PostgresTargetConfig, Secrets } from '../config/config.ts';
import { CountersignError } from '../errors.ts';
import { formatName } from '../grants/access-text.ts';
import { deriveMaskingKeys } from '../masking/derive-keys.ts';
import type { MaskingKeys } from '../masking/keys.ts';
import type { Classification, MaskingRules } from '../masking/rules.ts';
import type { Logger } from '../observe/logger.ts';
import type { Catalog, CatalogData } from '../postgres/catalog/catalog.ts';
import { type ClassificationData, indexClassification } from '../postgres/classify/classification.ts';
import { type ClassificationWarning, classifyCatalog } from '../postgres/classify/classify-catalog.ts';

/** What sessions on one target are masked by. The same object for all of them: a reload changes what it gives, for sessions that are open too. */
export interface TargetMasking {
  readonly rules: MaskingRules;
  readonly keys: MaskingKeys;
  /** Of the database that the catalog is of. Found once per snapshot. */
  classification(catalog: Catalog): Classification;
  /** The same for a worker thread. */
  classificationData(catalog: Catalog): ClassificationData;
}

/** What `countersign status` shows of one database whose catalog is known. */
export interface ClassifiedDatabase {
  readonly target: string;
  readonly database: string;
  readonly relations: number;
  readonly columns: number;
  readonly warnings: readonly string[];
}

/** Of one database; more tell nothing more. */
const MAX_SHOWN_WARNINGS = 100;

/** Masking as the configuration has it. Undefined where it has no section: whether there is one cannot change while the gateway runs. */
export class Masking {
  readonly #keys: MaskingKeys;
  readonly #logger: Logger;
  readonly #targets = new Map<string, MaskedTarget>();
  #rules: MaskingRules;

  private constructor(config: CountersignConfig, rules: MaskingRules, keys: MaskingKeys, logger: Logger) {
    this.#keys = keys;
    this.#logger = logger;
    this.#rules = rules;
    this.reload(config);
  }

  /** Reads the key. Throws `CS_SECRET_UNAVAILABLE`, and `CS_CONFIG_INVALID` for one that is too short. */
  static async load(
    config: CountersignConfig,
    secrets: Secrets,
    logger: Logger,
  ): Promise<Masking | undefined> {
    const { masking } = config;
    if (masking === undefined) return undefined;
    const keys = deriveMaskingKeys(await secrets.read(masking.key));
    return new Masking(config, masking.rules, keys, logger);
  }

  get rules(): MaskingRules {
    return this.#rules;
  }

  get keys(): MaskingKeys {
    return this.#keys;
  }

  /** For sessions on the target. Throws where there is no such target. */
  of(target: string): TargetMasking {
    const found = this.#targets.get(target);
    if (found === undefined) throw new CountersignError('CS_TARGET_UNKNOWN');
    return found;
  }

  get databases(): readonly ClassifiedDatabase[] {
    return [...this.#targets.values()].flatMap((target) => target.databases);
  }

  /** New rules and bindings are in force for the next statement of every session. The keys stay. */
  reload({ masking, targets }: CountersignConfig): void {
    // `assertReloadable` has refused to take the section away.
    if (masking !== undefined) this.#rules = masking.rules;
    for (const target of targets) {
      const known = this.#targets.get(target.name);
      if (known === undefined) {
        this.#targets.set(target.name, new MaskedTarget(target, this.#rules, this.#keys, this.#logger));
      } else known.reload(target, this.#rules);
    }
  }
}

interface Classified {
  readonly data: ClassificationData;
  readonly classification: Classification;
}

/** Targets that a reload took away stay: their last sessions are masked to the end. */
class MaskedTarget implements TargetMasking {
  readonly keys: MaskingKeys;
  readonly #logger: Logger;
  readonly #databases = new Map<string, ClassifiedDatabase>();
  #target: PostgresTargetConfig;
  #rules: MaskingRules;
  #classified = new WeakMap<CatalogData, Classified>();

  constructor(target: PostgresTargetConfig, rules: MaskingRules, keys: MaskingKeys, logger: Logger) {
    this.#target = target;
    this.#rules = rules;
    this.keys = keys;
    this.#logger = logger;
  }

  get rules(): MaskingRules {
    return this.#rules;
  }

  get databases(): readonly ClassifiedDatabase[] {
    return [...this.#databases.values()];
  }

  classification(catalog: Catalog): Classification {
    return this.#of(catalog).classification;
  }

  classificationData(catalog: Catalog): ClassificationData {
    return this.#of(catalog).data;
  }

  reload(target: PostgresTargetConfig, rules: MaskingRules): void {
    if (isSame(this.#target, target) && this.#rules.version === rules.version) return;
    this.#target = target;
    this.#rules = rules;
    this.#classified = new WeakMap();
  }

  /** An overlay has the data of the snapshot under it: what it shows anew is open, and the lineage knows nothing of it. */
  #of({ data: snapshot }: Catalog): Classified {
    const known = this.#classified.get(snapshot);
    if (known !== undefined) return known;
    const { data, warnings } = classifyCatalog(snapshot, optionsOf(this.#target, this.#rules));
    const made = { data, classification: indexClassification(data) };
    this.#classified.set(snapshot, made);
    this.#note(snapshot.database, data, warningsOf(this.#target, snapshot, warnings));
    return made;
  }

  /** A warning is logged when it comes to be, and not again with each snapshot. */
  #note(database: string, { relations }: ClassificationData, warnings: readonly string[]): void {
    const before = new Set(this.#databases.get(database)?.warnings);
    const target = this.#target.name;
    this.#databases.set(database, {
      target,
      database,
      relations: relations.length,
      columns: relations.reduce((sum, { columns }) => sum + columns.length, 0),
      warnings,
    });
    for (const detail of warnings)
      if (!before.has(detail)) this.#logger.warn('classification', { target, detail });
  }
}

/** What a target and the rules say of its classes. */
export function optionsOf(
  { classes = [], classesFrom = ['configuration', 'comments', 'labels'] }: PostgresTargetConfig,
  rules: MaskingRules,
): Parameters<typeof classifyCatalog>[1] {
  return { bindings: classes, origins: classesFrom, rules };
}

/** For people, at most `MAX_SHOWN_WARNINGS`. In another database than the target's own a relation of the configuration need not be. */
export function warningsOf(
  target: PostgresTargetConfig,
  catalog: Pick<CatalogData, 'database'>,
  warnings: readonly ClassificationWarning[],
): readonly string[] {
  const isOwn = catalog.database === target.database;
  const told = warnings.filter(({ problem }) => isOwn || !problem.startsWith('no-')).map(sentenceOf);
  const more = told.length - MAX_SHOWN_WARNINGS;
  return more > 0 ? [...told.slice(0, MAX_SHOWN_WARNINGS), `and ${more} more`] : told;
}

const SENTENCES: Readonly<Record<ClassificationWarning['problem'], string>> = {
  'no-relation': 'has classes in the configuration, and is not in the database',
  'no-column': 'has a class in the configuration, and is not in the database',
  unreadable:
    'has a comment or label for the gateway that is no countersign:class=name: it is treated as of any class',
  unknown: 'has a class in a comment or label that no rule knows: it is treated as of any class',
  conflict: 'has several classes in comments, labels, parents and children: it is treated as of any class',
  overruled: 'has another class in a comment or label than in the configuration, which holds',
};

function sentenceOf({ object, problem }: ClassificationWarning): string {
  return `${object.map(formatName).join('.')} ${SENTENCES[problem]}`;
}

function isSame(one: PostgresTargetConfig, other: PostgresTargetConfig): boolean {
  return bindingsText(one) === bindingsText(other);
}

function bindingsText({ classes, classesFrom, database }: PostgresTargetConfig): string {
  return JSON.stringify([classes, classesFrom, database]);
}
