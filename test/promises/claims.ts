/**
 * What we say in public, as data: every claim with the tests that try to break it. `claims.test.ts` fails when a claim has
 * no test, when a test that it names is gone, or when a promise has neither a claim nor a place on the "not yet" list.
 */

export interface Evidence {
  /** Relative to the root of the project. */
  readonly file: string;
  /** Words of the test's title, as they stand in the file. */
  readonly title: string;
}

export interface Claim {
  readonly id: string;
  /** Number in docs/promises.md. */
  readonly promise: 1 | 2 | 3 | 4 | 5 | 6 | 7;
  readonly sentence: string;
  readonly evidence: readonly Evidence[];
}

const claim = (
  id: string,
  promise: Claim['promise'],
  sentence: string,
  ...evidence: readonly (readonly [file: string, title: string])[]
): Claim => ({ id, promise, sentence, evidence: evidence.map(([file, title]) => ({ file, title })) });

const WHOLE_GATEWAY = 'test/connections/whole-gateway.test.ts';
const HOSTILE = 'test/connections/hostile-peers.test.ts';
const ENDINGS = 'test/translator/endings.test.ts';
const OPERATIONS = 'test/operations/operations.test.ts';
const RECORDER = 'packages/gateway/src/record/recorder.test.ts';
const RECOVERY = 'packages/gateway/src/record/recovery.test.ts';
const MUTATIONS = 'test/mutations/mutations.test.ts';
const FOREIGN = 'test/foreign/foreign.test.ts';
const WITNESS = 'packages/gateway/src/witness/witness.test.ts';
const ADVERSARY = 'test/mutations/adversary.test.ts';
const RESTORE = 'test/witness/client-restore.test.ts';
const FLOODS = 'test/floods/floods.test.ts';
const AUTHORIZER = 'packages/gateway/src/session/authorizer.test.ts';
const AUTHORIZED = 'packages/gateway/src/session/session-authorization.test.ts';
const REFUSAL_TEXT = 'packages/gateway/src/session/refusal-text.test.ts';
const MASKING_ATTACKS = 'test/attacks/masking/masking.test.ts';
const MASKING = 'test/masking/judgement.test.ts';
const MASKED_MESSAGES = 'test/masking/messages.test.ts';
const LINEAGE = 'test/lineage/statements.test.ts';
const JUDGE = 'packages/gateway/src/masking/judge.test.ts';
const PROBES = 'packages/gateway/src/gateway/probe-budgets.test.ts';
const DEMO = 'test/demo/demo.test.ts';
const FAIL_CLOSED = 'test/fail-closed/fail-closed.test.ts';

export const CLAIMS: readonly Claim[] = [
  claim(
    'named.same-answer',
    1,
    'A wrong credential and an unknown principal cannot be told apart.',
    ['test/connections/clients.test.ts', 'a wrong password and an unknown user look the same'],
    [HOSTILE, 'the salt of a user that does not exist is the same at every try'],
  ),
  claim(
    'named.recorded',
    1,
    'Who came, and who failed to, is on the record; guessing does not fill it.',
    [WHOLE_GATEWAY, 'guessed passwords leave a few leaves, not thirty'],
    [OPERATIONS, 'a principal that gets nowhere is on the record'],
  ),
  claim('named.not-unrecorded', 1, 'Nobody gets in while that cannot be recorded.', [
    HOSTILE,
    'nobody gets in while the record cannot be written',
  ]),
  claim(
    'granted.covered',
    2,
    'A command runs only if the scope of its grant covers, and a policy permits, everything that it touches; a command of which nobody said what it touches is refused.',
    [AUTHORIZED, 'a command of which nobody said what it touches is refused'],
    [AUTHORIZED, 'what is not covered is refused; the record has no name of it, the client its own'],
    [AUTHORIZER, 'the scope is asked first: policies cannot widen it'],
    [AUTHORIZER, 'no policies permit nothing, not even a command that touches nothing'],
    [
      'packages/gateway/src/grants/scope.test.ts',
      'property: nothing is missing exactly when everything is covered',
    ],
  ),
  claim(
    'granted.decided-now',
    2,
    'A remembered decision is never another grant’s, principal’s or policy’s: a reload counts from the next command on.',
    [AUTHORIZER, 'attack: a decision of one grant, principal, group or database is never another one'],
    [AUTHORIZER, 'attack: other policies forget everything, from the next command on'],
    [AUTHORIZER, 'attack: demands cannot be changed after they were judged'],
    [
      AUTHORIZED,
      'other policies count from the next command on, and the calls cite a context that names them',
    ],
  ),
  claim(
    'granted.refusal-silent',
    2,
    'A refusal repeats no name that the command does not have, and says the same of what is not covered and of what is not there.',
    [REFUSAL_TEXT, 'property: whatever the text is, the same statement is answered the same'],
    [REFUSAL_TEXT, 'nothing is named that the text does not name'],
    ['test/refusals/look-alike.test.ts', 'the same words, byte for byte'],
  ),
  claim(
    'granted.understood',
    2,
    'What a statement would touch is known before it is sent, and PostgreSQL itself agrees; what cannot be understood is refused.',
    ['test/oracle/oracle.test.ts', 'and the analysis agree on'],
    ['test/oracle/fuzz.test.ts', 'of them are answered, and what is read afterwards is read right'],
    ['test/analysis/statements.test.ts', 'judged or refused with a reason, never a failure'],
    [
      'test/attacks/authorization/authorization.test.ts',
      'the analysis alone stops all but what is known, and why',
    ],
  ),
  claim(
    'granted.second-wall',
    2,
    'A session without a configured login runs in the target with the privileges of its scope and no more, besides those of PUBLIC.',
    ['test/roles/setup.test.ts', 'what is held in the catalog is the scope and no more'],
    ['test/roles/hostile.test.ts', 'every attempt has an id of its own, and there are enough'],
    [
      'test/roles/gateway.test.ts',
      'sessions run as roles of their scopes, from the grant to its end, a crash in between',
    ],
    ['test/attacks/authorization/authorization.test.ts', 'no attack passes both walls'],
    ['examples/bank/scopes.test.ts', 'what the reading of a text cannot tell is stopped by the role'],
  ),
  claim(
    'granted.ends',
    2,
    'When a grant ends nothing more is released, what runs is stopped, and the true outcome is recorded.',
    [ENDINGS, 'a grant that expires while its command runs'],
    [ENDINGS, 'a grant that disappears on reload ends its idle session'],
    [OPERATIONS, 'a grant that a reload removes ends its sessions'],
  ),
  claim(
    'granted.refusal-aborts',
    2,
    'A refusal aborts the transaction in the target for real.',
    [
      'test/translator/refusals.test.ts',
      'a refusal at every position aborts what a failing statement would abort',
    ],
    ['test/translator/refusals.test.ts', 'a refusal names the setting and the next step'],
  ),
  claim(
    'recorded.before-effect',
    3,
    'No effect without a record, whenever the gateway is killed and whatever the disk had not synced.',
    ['test/kill/kill.test.ts', 'the real build: everything the target did is on the record'],
    ['test/kill/kill.test.ts', 'the broken build'],
    [RECOVERY, 'what a power cut takes was never acknowledged'],
  ),
  claim(
    'recorded.or-refused',
    3,
    'What cannot be recorded in time is refused, and the gateway recovers by itself.',
    [FAIL_CLOSED, 'a sync that stalls'],
    [FAIL_CLOSED, 'a sync that fails'],
    [FAIL_CLOSED, 'a disk that has become read-only'],
    [FAIL_CLOSED, 'a real disk that is full'],
    [RECORDER, 'a stalled disk refuses while it still stalls'],
  ),
  claim(
    'recorded.every-way',
    3,
    'Every way of sending a statement is on the record, at every size.',
    ['test/clients/dump.test.ts', 'is on the record, statement by statement'],
    ['test/clients/pgbench.test.ts', 'is on the record, statement by statement'],
    ['test/clients/majors.test.ts', 'is on the record, statement by statement'],
    ['test/translator/bulk.test.ts', 'a parameter of 200 MB goes through the vault and arrives whole'],
  ),
  claim(
    'masked.nothing-leaves',
    4,
    'No regulated value leaves in any of the attempts of the leak corpus but in the ways that are listed with their reasons, and the attempts get something where nothing is masked.',
    [MASKING_ATTACKS, 'no attempt gets anything through the mask but what is known, and why'],
    [MASKING_ATTACKS, 'attempts get a value or a bit where nothing is masked'],
    [DEMO, 'lets what identifies a person leave masked only, and refuses to let it be guessed'],
  ),
  claim(
    'masked.follows',
    4,
    'Masking follows where a value came from, through expressions, views, functions and temporary tables: two databases that differ in regulated values alone show the same in what is free.',
    ['test/lineage/two-worlds.test.ts', 'show the same in what is free, in'],
    ['test/classification/declassify.test.ts', 'no change of a table brings out what is regulated'],
    [MASKING, 'a temporary table is followed, whatever happened to the transaction that filled it'],
    [
      'test/classification/open-sessions.test.ts',
      'a reload, a comment and a new partition reach a prepared statement of before',
    ],
  ),
  claim(
    'masked.every-way',
    4,
    'It holds in text and binary rows, described or not, in cursors, COPY, results of functions, errors, notices, settings and notifications, for every type.',
    ['test/masking/rows.test.ts', 'prepared once, executed again and again, never described'],
    ['test/masking/rows.test.ts', 'binary results, described or not'],
    ['test/masking/rows.test.ts', 'cursors: FETCH is masked as the DECLARE was judged'],
    ['test/masking/rows.test.ts', 'rows that a rule makes of a statement that has none are redacted'],
    ['test/masking/copy.test.ts', 'the server reads it back as the masked values'],
    [MASKED_MESSAGES, 'an error of a statement on regulated columns keeps SQLSTATE'],
    [MASKED_MESSAGES, 'what code of the target says'],
    [MASKED_MESSAGES, 'the payload of a notification stays behind'],
    [MASKED_MESSAGES, 'the result of a FunctionCall of which nothing is known is null'],
    ['test/masking/typed-columns.test.ts', 'as maskValue makes them, in text and binary'],
  ),
  claim(
    'masked.unknown',
    4,
    'What cannot be followed is masked or refused, never passed.',
    [LINEAGE, 'what cannot be followed is unknown, and an oracle of what it may read'],
    [LINEAGE, 'every statement that the analysis reads is followed or known to be silent'],
    [JUDGE, 'rows of which nothing is known are masked as a whole'],
    ['test/lineage/lists.test.ts', 'what no list has shows values'],
  ),
  claim(
    'masked.not-guessed',
    4,
    'What is masked cannot be asked for bit by bit: order, ranges, patterns and chosen failures are refused, and equality is counted by owner and period, on disk before the command.',
    [MASKING, 'an oracle is refused, nothing of it reaches the server'],
    [
      MASKING,
      'equality within a budget, over the simple and the extended protocol, across sessions and restarts',
    ],
    [PROBES, 'it survives restarts, and no value and no owner is in the file'],
    [PROBES, 'a disk that stands still refuses in bounded time, and goes on when it can'],
    ['test/lineage/lists.test.ts', 'what is total has a result for every value'],
  ),
  claim(
    'masked.not-written-back',
    4,
    'A masked value does not come back as if it were the real one; what only looks like one passes.',
    [
      MASKING,
      'a masked value that comes back is refused; what looks like one, or is asked for by nobody, passes',
    ],
    ['test/masking/copy.test.ts', 'a redaction that comes back in COPY data makes the COPY fail'],
    [JUDGE, 'masked values that come back are refused whatever is granted'],
  ),
  claim(
    'masked.on-record',
    4,
    'What was let out, asked for and masked is on the record, by column, class and count.',
    [MASKING, 'what the grant lets out leaves as it is, and both are on record'],
    [
      'test/masking/rows.test.ts',
      'the record: what was masked of each call, and a digest of what really left',
    ],
  ),
  claim(
    'provable.mutations',
    5,
    'An altered, reordered, shortened or forked record is caught.',
    [MUTATIONS, 'without the key, edited in the bundles, is caught by both'],
    [MUTATIONS, 'against an earlier checkpoint, and caught by Go'],
    [MUTATIONS, 'never pass and never crash the check, whichever bit is flipped'],
  ),
  claim(
    'provable.foreign',
    5,
    'Software that we did not write verifies the record, and refuses it after one change.',
    [FOREIGN, 'accept the checkpoint, every leaf, inclusion and consistency'],
    [FOREIGN, 'refuse a changed leaf'],
    ['test/foreign/gateway-log.test.ts', 'passes the Go verifier, also against the first checkpoint'],
  ),
  claim(
    'provable.crash',
    5,
    'A crash leaves a record that says what is in doubt; nothing acknowledged is lost.',
    [RECOVERY, 'cut at every byte of the last three frames'],
    [RECOVERY, 'a damaged frame before a whole one is corruption'],
    ['test/foreign/gateway-log.test.ts', 'is VERIFIED-WITH-GAPS after it was killed'],
  ),
  claim(
    'provable.witness',
    5,
    'A witness cosigns only a log that grew, never forgets what it cosigned, and keeps what contradicts it.',
    [WITNESS, 'answers what the specification says for each flaw of a request'],
    [WITNESS, 'keeps both checkpoints of a fork'],
    [WITNESS, 'stops the start when any part of it is damaged'],
    [WITNESS, 'loses nothing that was answered when the power fails'],
    ['test/witness/kill.test.ts', 'never forgets a tree whose cosignature it gave away'],
    ['test/witness/foreign.test.ts', 'are a log that our witness cosigns as it grows'],
  ),
  claim(
    'provable.timestamp',
    5,
    'A time stamp counts only if it is of this log, by the authority that was named, and OpenSSL agrees.',
    ['test/timestamps/tokens.test.ts', 'with any bit changed is refused'],
    ['test/timestamps/service.test.ts', 'are made at the start, accepted by OpenSSL'],
    ['test/timestamps/service.test.ts', 'are a finding when what is stored does not fit'],
  ),
  claim(
    'reach.cancel',
    6,
    'A client can cancel its own statement only, with a key that is not the target’s.',
    [WHOLE_GATEWAY, 'a cancel reaches the statement of its own session only'],
    [HOSTILE, 'a cancel with an unknown key is answered by silence'],
  ),
  claim(
    'reach.pins',
    6,
    'The settings that make the record readable cannot be changed.',
    ['test/translator/copy-and-others.test.ts', 'a pinned setting changed behind our back ends the session'],
    ['packages/gateway/src/postgres/inspect/settings.test.ts', 'refused, ${way}: ${text}'],
  ),
  claim(
    'provable.streamed',
    5,
    'Every leaf is proved before it is streamed, and reaches every receiver at least once, in order; nothing is skipped in silence.',
    [
      'test/export/gateway.test.ts',
      'a gateway killed again and again, with a receiver that fails as it likes',
    ],
    ['test/export/syslog.test.ts', 'a real rsyslogd that is killed again and again misses nothing'],
    ['test/export/delivery.test.ts', 'one event that is refused stops the export'],
    ['test/export/delivery.test.ts', 'a leaf that was changed on disk is not exported'],
    ['test/export/delivery.test.ts', 'another log, another history, a shorter log'],
    ['test/export/gateway.test.ts', 'a refused event is passed only by an operator, and the record says so'],
  ),
  claim('reach.config', 6, 'A change of configuration is on the record before it is in force.', [
    OPERATIONS,
    'a reload keeps sessions, and is on the record before it is in force',
  ]),
  claim(
    'breach.streams',
    7,
    'Neither events nor traces carry a statement, a value or an address.',
    ['test/export/gateway.test.ts', 'no event carries a statement, a value or an address'],
    [
      'test/export/traces.test.ts',
      'sessions and commands of the gateway, by the ids of the record, without their contents',
    ],
  ),
  claim('breach.logs', 7, 'No log line carries a password, a token or the text of a statement.', [
    OPERATIONS,
    'no log line carries a password, a token, or the text of a statement',
  ]),
  claim(
    'breach.sealed',
    7,
    'Contents are sealed to a custodian and open to nobody without a key; reading through the gateway is recorded first.',
    [RECORDER, 'contents are readable with the key of the gateway, spooled values too'],
    [OPERATIONS, 'tokens, contents and status through the control socket'],
    [FOREIGN, 'every commitment opened by the custodian'],
  ),
  claim(
    'provable.adversary',
    5,
    'Whoever holds the log’s key can rewrite only what nobody else has seen, and the window is told.',
    [ADVERSARY, 'with an earlier checkpoint, cosigned or not'],
    [ADVERSARY, 'with checkpoint.witnessed left in the log'],
    [ADVERSARY, 'it is found, or it lies in the window'],
    ['test/mutations/verdicts.test.ts', 'before ${second}, and both are listed'],
  ),
  claim(
    'provable.restore',
    5,
    'A record that was put back from a backup does not go on in silence.',
    [RESTORE, 'is not started, with and without the witness, and nothing is written to it'],
    [RESTORE, 'recovers what it lacks from a mirror, and goes on as the same log'],
    [RESTORE, 'is succeeded by a log of another name, which says what is lost'],
    ['test/custody/backup.test.ts', 'a gateway does not go on with the log of a backup'],
  ),
  claim(
    'provable.upgrade',
    5,
    'A log of every released version keeps its verdict, and every later version can go on writing it.',
    [
      'test/upgrade/upgrade.test.ts',
      'has the verdict, the counts and the findings that its own version gave',
    ],
    ['test/upgrade/upgrade.test.ts', 'goes on: what its journal held comes into the log'],
  ),
  claim(
    'granted.flood',
    2,
    'A grant that is revoked while its principal floods admits no command afterwards.',
    [FLOODS, 'a grant is revoked while its principal floods: no command is admitted after it'],
    [FLOODS, 'a pipelined flood leaves every turn to others'],
  ),
  claim(
    'recorded.faults',
    3,
    'Whatever fails on the disk, and wherever the power is cut, nothing acknowledged is lost and nothing runs unrecorded.',
    ['test/faults/fault-table.test.ts', 'docs/faults.md has the table as it is tested'],
    ['test/faults/power-loss.test.ts', 'wherever the power is cut, nothing acknowledged is lost'],
    ['test/faults/power-loss.test.ts', 'a disk that lies about ${what} is caught'],
    ['test/faults/states.test.ts', 'killed in each of its states'],
  ),
  claim(
    'reach.two-owners',
    6,
    'Contents are erased, holds ended and officers changed only on the signatures of two owners, whoever holds the log’s key.',
    ['test/custody/dual-control.test.ts', 'refused (${cause}), recorded, nothing erased'],
    ['test/custody/dual-control.test.ts', 'configuration alone changes no officers'],
    ['test/custody/forged.test.ts', 'an erasure without a request, or with one that nobody approved'],
    ['test/custody/forged.test.ts', 'approvals of keys that the gateway made itself'],
  ),
  claim(
    'breach.erased',
    7,
    'Contents can be erased without breaking a proof, and what is held is not erased.',
    ['test/custody/erase.test.ts', 'a session is taken out of the period that runs, and nothing else'],
    ['test/custody/erase.test.ts', 'what nothing covers stays missing; what came back is told'],
    [
      'test/custody/hold.test.ts',
      'a hold that comes between the approval of an erasure and its execution wins',
    ],
  ),
];
