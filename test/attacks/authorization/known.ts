/** Attacks that one wall alone lets through, each with the reason. A line that is not true any more fails the run. */

/** Through the analysis alone, a superuser behind: at most five. */
export const THROUGH_ANALYSIS: Readonly<Record<string, string>> = {
  'AUTHZ-378':
    'a function of the database that is granted by name does what its login may do: what is inside of it is not analysed, and overloads share the name',
};

const UNGOVERNED = 'the server has no privilege for it';
const TELLS_ITSELF = "the server's own refusals tell what exists from what does not";
const PUBLIC_READS = 'PUBLIC may read it';
const PUBLIC_RUNS = 'PUBLIC may run it until the DBA revokes that: a finding of `countersign target check`';

/** Through the role alone, no analysis before it. */
export const THROUGH_ROLE: Readonly<Record<string, string>> = {
  'AUTHZ-266': TELLS_ITSELF,
  'AUTHZ-267': TELLS_ITSELF,
  'AUTHZ-268': TELLS_ITSELF,
  'AUTHZ-269': TELLS_ITSELF,
  'AUTHZ-282': UNGOVERNED,
  'AUTHZ-292': PUBLIC_RUNS,
  'AUTHZ-294': UNGOVERNED,
  'AUTHZ-331': UNGOVERNED,
  'AUTHZ-332': UNGOVERNED,
  'AUTHZ-336': UNGOVERNED,
  'AUTHZ-375': PUBLIC_RUNS,
  'AUTHZ-506': PUBLIC_READS,
  'AUTHZ-507': PUBLIC_READS,
  'AUTHZ-508': PUBLIC_READS,
  'AUTHZ-509': PUBLIC_READS,
  'AUTHZ-510': PUBLIC_READS,
  'AUTHZ-515': PUBLIC_READS,
  'AUTHZ-516': PUBLIC_READS,
  'AUTHZ-517': PUBLIC_READS,
  'AUTHZ-521': PUBLIC_READS,
  'AUTHZ-522': PUBLIC_READS,
  'AUTHZ-584': 'a role may always set the default privileges of what it makes itself',
  'AUTHZ-648': UNGOVERNED,
  'AUTHZ-654': UNGOVERNED,
  'AUTHZ-655': UNGOVERNED,
  'AUTHZ-656': UNGOVERNED,
  'AUTHZ-657': UNGOVERNED,
  'AUTHZ-658': UNGOVERNED,
  'AUTHZ-659': UNGOVERNED,
  'AUTHZ-660': UNGOVERNED,
  'AUTHZ-661': UNGOVERNED,
  'AUTHZ-703': 'PUBLIC may connect to every database until the DBA revokes that',
  'AUTHZ-725': PUBLIC_READS,
};
