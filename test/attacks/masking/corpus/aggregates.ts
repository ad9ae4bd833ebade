/** Aggregates, groups and windows. */
import { attempt, type Family } from '../attempt.ts';

const BY_KEY = 'by the server: what a key in the list decides is left out of GROUP BY';

export const AGGREGATES: Family = {
  name: 'aggregates and windows',
  attempts: [
    attempt('MASK-277', 'min and max of a text.', 'select min(ssn), max(name) from bank.customers'),
    attempt(
      'MASK-278',
      'min and max of numbers and dates.',
      'select min(balance), max(score), min(dob), max(seen) from bank.customers',
    ),
    attempt('MASK-279', 'string_agg.', `select string_agg(ssn, ',' order by id) from bank.customers`),
    attempt('MASK-280', 'array_agg of texts.', 'select array_agg(pin order by id) from bank.customers'),
    attempt('MASK-281', 'sum without groups.', 'select sum(balance), sum(score) from bank.customers'),
    attempt('MASK-282', 'avg of one row.', 'select avg(balance) from bank.customers where id = 1'),
    attempt(
      'MASK-283',
      'avg of groups of one.',
      'select id, avg(balance) from bank.customers group by id order by id',
    ),
    attempt(
      'MASK-284',
      'avg of groups of one whose size is not shown to be large.',
      'select id, avg(balance) from bank.customers group by id having count(*) >= 1 order by id',
    ),
    attempt(
      'MASK-285',
      'avg where the size is shown in an OR.',
      'select id, avg(balance) from bank.customers group by id having count(*) >= 5 or true order by id',
    ),
    attempt(
      'MASK-286',
      'avg where the size is of something else.',
      'select c.id, avg(c.balance) from bank.customers c cross join generate_series(1, 9) group by c.id having count(*) >= 5 order by c.id',
    ),
    attempt(
      'MASK-287',
      'avg where a join makes the groups large.',
      'select c.id, avg(c.balance) from bank.customers c cross join bank.accounts a group by c.id having count(*) >= 5 order by c.id',
    ),
    attempt(
      'MASK-288',
      'avg where a comma makes the groups large.',
      'select c.id, sum(c.score) from bank.customers c, bank.branches b, bank.branches d group by c.id having count(*) >= 5 order by c.id',
    ),
    attempt(
      'MASK-289',
      'avg where UNION ALL makes the groups large.',
      `select id, avg(balance) from (${Array.from({ length: 5 }, () => 'select id, balance from bank.customers').join(' union all ')}) s group by id having count(*) >= 5 order by id`,
    ),
    attempt(
      'MASK-290',
      'avg where a set-returning function in a subquery makes the groups large.',
      'select id, avg(balance) from (select id, balance, generate_series(1, 6) from bank.customers) s group by id having count(*) >= 5 order by id',
    ),
    attempt(
      'MASK-291',
      'avg where the size is shown outside only.',
      'select * from (select id, avg(balance) a, count(*) n from bank.customers group by id) s where n >= 1 order by id',
    ),
    attempt(
      'MASK-292',
      'avg with a FILTER down to one row.',
      `select region, avg(balance) filter (where id = 1) from bank.customers group by region having count(*) >= 5`,
    ),
    attempt(
      'MASK-293',
      'avg of a CASE down to one row.',
      'select region, avg(case when id = 1 then balance end) from bank.customers group by region having count(*) >= 5',
    ),
    attempt(
      'MASK-294',
      'sum of a product with a free column.',
      'select region, sum(balance * (id = 1)::int) from bank.customers group by region having count(*) >= 5',
    ),
    attempt(
      'MASK-295',
      'avg of NULLIF and of a lateral choice.',
      'select region, avg(nullif(balance, 0) * case id when 2 then 1 end) from bank.customers group by region having count(*) >= 5',
    ),
    attempt(
      'MASK-296',
      'avg with a size in a HAVING of a number that is a parameter of its own.',
      'select id, avg(balance) from bank.customers group by id having count(*) >= 5 - 4 order by id',
    ),
    attempt(
      'MASK-297',
      'avg with count of something else.',
      'select id, avg(balance) from bank.customers group by id having count(*) >= -5 and count(region) >= 1 order by id',
    ),
    attempt(
      'MASK-298',
      'avg with GROUPING SETS, of which one is fine.',
      'select id, region, avg(balance) from bank.customers group by grouping sets ((region), (id)) having count(*) >= 5 or id is not null order by 1, 2',
    ),
    attempt(
      'MASK-299',
      'avg DISTINCT of a group of one in effect.',
      'select region, avg(distinct balance) from bank.customers where id in (1, 7) group by region having count(*) >= 1',
    ),
    attempt(
      'MASK-300',
      'avg as a window of one row.',
      'select id, avg(balance) over (order by id rows current row) from bank.customers',
    ),
    attempt(
      'MASK-301',
      'avg as a window, the group being large.',
      'select region, avg(avg(balance)) over (), count(*) from bank.customers group by region',
    ),
    attempt(
      'MASK-302',
      'sum over a window, then differences.',
      'select id, sum(balance) over (order by id) from bank.customers',
    ),
    attempt(
      'MASK-303',
      'stddev, variance, corr.',
      'select stddev(balance), var_pop(score), corr(balance, id) from bank.customers',
    ),
    attempt(
      'MASK-304',
      'regr_ and covar_.',
      'select regr_slope(balance, id), covar_pop(score, id) from bank.customers',
    ),
    attempt(
      'MASK-305',
      'bit_and, bit_or, bit_xor.',
      'select bit_and(score), bit_or(score), bit_or(big) from bank.customers',
    ),
    attempt(
      'MASK-306',
      'bool_and of a comparison.',
      `select bool_and(ssn > '68'), bool_or(ssn > '97') from bank.customers where id = 1`,
    ),
    attempt(
      'MASK-307',
      'percentile_disc and percentile_cont.',
      'select percentile_disc(0.5) within group (order by ssn), percentile_cont(0.1) within group (order by balance) from bank.customers',
    ),
    attempt('MASK-308', 'mode.', 'select mode() within group (order by ssn) from bank.customers'),
    attempt(
      'MASK-309',
      'rank of a hypothetical value.',
      `select rank('7') within group (order by ssn) from bank.customers`,
    ),
    attempt(
      'MASK-310',
      'percent_rank and cume_dist of a hypothetical value.',
      'select percent_rank(800000) within group (order by balance), cume_dist(700000) within group (order by balance) from bank.customers',
    ),
    attempt(
      'MASK-311',
      'count with a FILTER on it.',
      `select count(*) filter (where ssn < '8') from bank.customers`,
    ),
    attempt(
      'MASK-312',
      'count of a CASE on it.',
      `select count(case when ssn < '8' then 1 end) from bank.customers`,
    ),
    attempt(
      'MASK-313',
      'count of NULLIF with a guess.',
      `select count(nullif(ssn, '{{ssn3}}')) from bank.customers`,
    ),
    attempt('MASK-314', 'sum of booleans.', 'select sum((balance > 800000)::int) from bank.customers'),
    attempt(
      'MASK-315',
      'GROUP BY it.',
      'select max(id), count(*) from bank.customers group by ssn order by 1',
    ),
    attempt(
      'MASK-316',
      'GROUP BY it, shown.',
      'select ssn, count(*) from bank.customers group by ssn order by 2',
    ),
    attempt(
      'MASK-317',
      'GROUP BY an expression over it.',
      `select left(ssn, 1), count(*) from bank.customers group by left(ssn, 1) order by 2`,
    ),
    attempt(
      'MASK-318',
      'GROUP BY its position.',
      'select substr(name, 1, 1), count(*) from bank.customers group by 1',
    ),
    attempt(
      'MASK-319',
      'GROUP BY a boolean over it.',
      `select ssn > '8', count(*) from bank.customers group by 1 order by 2`,
    ),
    attempt(
      'MASK-320',
      'GROUP BY an alias of it.',
      'select pin as region, count(*) from bank.customers group by region, pin having count(*) < 5',
    ),
    attempt(
      'MASK-321',
      'GROUP BY CUBE and ROLLUP.',
      'select ssn, count(*) from bank.customers group by cube (ssn) order by 2',
    ),
    attempt('MASK-322', 'DISTINCT.', 'select distinct ssn from bank.customers'),
    attempt(
      'MASK-323',
      'DISTINCT of an expression.',
      `select distinct ssn > '8' from bank.customers where id in (1, 5)`,
    ),
    attempt(
      'MASK-324',
      'DISTINCT ON it.',
      'select distinct on (ssn) id from bank.customers order by ssn, id',
    ),
    attempt(
      'MASK-325',
      'UNION removes duplicates.',
      'select count(*) from (select ssn from bank.customers where id in (2, 5) union select ssn from bank.tracked) s',
    ),
    attempt(
      'MASK-326',
      'INTERSECT with a guess.',
      `select count(*) from (select ssn from bank.customers intersect select '{{ssn3}}') s`,
    ),
    attempt(
      'MASK-327',
      'EXCEPT with a guess.',
      `select count(*) from (select '{{ssn3}}' except select ssn from bank.customers) s`,
    ),
    attempt(
      'MASK-328',
      'UNION with guesses of other tables.',
      `select count(*) from (select '{{pin2}}' union select pin from bank.customers) s`,
    ),
    attempt(
      'MASK-329',
      'lag and lead.',
      'select lag(ssn) over (order by id), lead(pin, 2) over (order by id) from bank.customers',
    ),
    attempt(
      'MASK-330',
      'first_value, last_value, nth_value.',
      'select first_value(ssn) over w, nth_value(name, 2) over w from bank.customers window w as (order by id)',
    ),
    attempt(
      'MASK-331',
      'rank by it.',
      'select id, rank() over (order by ssn) from bank.customers order by id',
    ),
    attempt(
      'MASK-332',
      'row_number by it in a named window.',
      'select id, row_number() over w from bank.customers window w as (order by pin) order by id',
    ),
    attempt(
      'MASK-333',
      'ntile and percent_rank by it.',
      'select id, ntile(4) over (order by balance), percent_rank() over (order by dob) from bank.customers order by id',
    ),
    attempt(
      'MASK-334',
      'count over PARTITION BY it.',
      'select id, count(*) over (partition by ssn) from bank.customers order by id',
    ),
    attempt(
      'MASK-335',
      'count over a RANGE frame of it.',
      'select id, count(*) over (order by balance range between 50000 preceding and current row) from bank.customers order by id',
    ),
    attempt(
      'MASK-336',
      'count over a GROUPS frame of it.',
      'select id, count(*) over (order by ssn groups current row) from bank.customers order by id',
    ),
    attempt(
      'MASK-337',
      'count over EXCLUDE TIES.',
      'select id, count(*) over (order by ssn rows unbounded preceding exclude ties) from bank.customers order by id',
    ),
    attempt(
      'MASK-338',
      'dense_rank in a subquery.',
      'select id from (select id, dense_rank() over (order by name) r from bank.customers) s where r = 1',
    ),
    attempt(
      'MASK-339',
      'An aggregate of the attacker in SQL.',
      'select bank.gather_sql(ssn order by id) from bank.customers',
    ),
    attempt(
      'MASK-340',
      'An aggregate that cannot be looked into.',
      'select bank.gather(ssn order by id) from bank.customers',
    ),
    attempt(
      'MASK-341',
      'A correlated aggregate of the outer level.',
      'select (select max(c.ssn) from bank.branches where id = 1) from bank.customers c',
    ),
    attempt('MASK-342', 'any_value.', 'select any_value(ssn) from bank.customers', { since: 16 }),
    attempt(
      'MASK-343',
      'jsonb_agg with ORDER BY inside by it.',
      'select jsonb_agg(id order by ssn) from bank.customers',
    ),
    attempt(
      'MASK-344',
      'array_agg of ids by it.',
      'select array_agg(id order by balance desc) from bank.customers',
    ),
    attempt(
      'MASK-345',
      'string_agg with it as the separator.',
      `select string_agg('', ssn order by id) from bank.customers`,
    ),
    attempt(
      'MASK-346',
      'HAVING on its maximum.',
      `select region from bank.customers group by region having max(ssn) < '98' order by 1`,
    ),
    attempt(
      'MASK-347',
      'HAVING on its average, the group being large.',
      'select region from bank.customers group by region having count(*) >= 5 and avg(balance) > 1000000',
    ),
    attempt(
      'MASK-348',
      'HAVING on a count of its values.',
      'select region from bank.customers group by region having count(distinct ssn) < 6 and count(*) >= 5',
    ),
    attempt(
      'MASK-920',
      'DISTINCT with the key behind the value, sorted to be so.',
      ['set enable_hashagg = off', 'select distinct ssn, id from bank.customers'],
      { once: true },
    ),
    attempt(
      'MASK-921',
      'DISTINCT with the key behind the value, hashed to be so.',
      'select distinct ssn, id from bank.customers',
    ),
    attempt(
      'MASK-922',
      'Groups of the value and the key, in the order of the value.',
      [
        'set enable_hashagg = off',
        'select c.id, count(*) from bank.customers c join bank.accounts a on a.customer = c.id group by c.ssn, c.id',
      ],
      { once: true, blocked: BY_KEY },
    ),
    attempt(
      'MASK-923',
      'Groups of the values and keys of two tables, in the order of one of the values.',
      [
        'set enable_hashagg = off',
        'select c.id, a.id from bank.customers c join bank.accounts a on a.customer = c.id group by c.ssn, a.id, c.id',
      ],
      { once: true, blocked: BY_KEY },
    ),
  ],
};
