/**
 * The routines of pg_catalog, PostgreSQL 13 to 18, that compute from the values they are given, tell names and types, or tell
 * something of the own session: names from A to I. Only what is listed is harmless; a routine of a newer server that no list has is demanded by name.
 */
export const HARMLESS_A_TO_I = `
    RI_FKey_cascade_del RI_FKey_cascade_upd RI_FKey_check_ins RI_FKey_check_upd RI_FKey_noaction_del
    RI_FKey_noaction_upd RI_FKey_restrict_del RI_FKey_restrict_upd RI_FKey_setdefault_del RI_FKey_setdefault_upd
    RI_FKey_setnull_del RI_FKey_setnull_upd abbrev abs aclcontains acldefault aclexplode aclinsert aclitemeq aclitemin
    aclitemout aclremove acos acosd acosh age amvalidate any_in any_out any_value any_value_transfn anyarray_in
    anyarray_out anyarray_recv anyarray_send anycompatible_in anycompatible_out anycompatiblearray_in
    anycompatiblearray_out anycompatiblearray_recv anycompatiblearray_send anycompatiblemultirange_in
    anycompatiblemultirange_out anycompatiblenonarray_in anycompatiblenonarray_out anycompatiblerange_in
    anycompatiblerange_out anyelement_in anyelement_out anyenum_in anyenum_out anymultirange_in anymultirange_out
    anynonarray_in anynonarray_out anyrange_in anyrange_out anytextcat area areajoinsel areasel array_agg
    array_agg_array_combine array_agg_array_deserialize array_agg_array_finalfn array_agg_array_serialize
    array_agg_array_transfn array_agg_combine array_agg_deserialize array_agg_finalfn array_agg_serialize
    array_agg_transfn array_append array_append_support array_cat array_dims array_eq array_fill array_ge array_gt
    array_larger array_le array_length array_lower array_lt array_ndims array_ne array_out array_position
    array_positions array_prepend array_prepend_support array_recv array_remove array_replace array_reverse
    array_sample array_send array_shuffle array_smaller array_sort array_subscript_handler
    array_subscript_handler_support array_to_json array_to_string array_to_tsvector array_typanalyze
    array_unnest_support array_upper arraycontained arraycontains arraycontjoinsel arraycontsel arrayoverlap ascii
    asin asind asinh atan atan2 atan2d atand atanh avg bernoulli big5_to_euc_tw big5_to_mic big5_to_utf8 bit bit_and
    bit_count bit_in bit_length bit_or bit_out bit_recv bit_send bit_xor bitand bitcat bitcmp biteq bitge bitgt bitle
    bitlt bitne bitnot bitor bitshiftleft bitshiftright bittypmodin bittypmodout bitxor bool bool_accum bool_accum_inv
    bool_alltrue bool_and bool_anytrue bool_or booland_statefunc booleq boolge boolgt boolin boolle boollt boolne
    boolor_statefunc boolout boolrecv boolsend bound_box box box_above box_above_eq box_add box_below box_below_eq
    box_center box_contain box_contain_pt box_contained box_distance box_div box_eq box_ge box_gt box_in box_intersect
    box_le box_left box_lt box_mul box_out box_overabove box_overbelow box_overlap box_overleft box_overright box_recv
    box_right box_same box_send box_sub bpchar bpchar_larger bpchar_pattern_ge bpchar_pattern_gt bpchar_pattern_le
    bpchar_pattern_lt bpchar_smaller bpchar_sortsupport bpcharcmp bpchareq bpcharge bpchargt bpchariclike
    bpcharicnlike bpcharicregexeq bpcharicregexne bpcharin bpcharle bpcharlike bpcharlt bpcharne bpcharnlike bpcharout
    bpcharrecv bpcharregexeq bpcharregexne bpcharsend bpchartypmodin bpchartypmodout brin_bloom_add_value
    brin_bloom_consistent brin_bloom_opcinfo brin_bloom_options brin_bloom_summary_in brin_bloom_summary_out
    brin_bloom_summary_recv brin_bloom_summary_send brin_bloom_union brin_inclusion_add_value
    brin_inclusion_consistent brin_inclusion_opcinfo brin_inclusion_union brin_minmax_add_value brin_minmax_consistent
    brin_minmax_multi_add_value brin_minmax_multi_consistent brin_minmax_multi_distance_date
    brin_minmax_multi_distance_float4 brin_minmax_multi_distance_float8 brin_minmax_multi_distance_inet
    brin_minmax_multi_distance_int2 brin_minmax_multi_distance_int4 brin_minmax_multi_distance_int8
    brin_minmax_multi_distance_interval brin_minmax_multi_distance_macaddr brin_minmax_multi_distance_macaddr8
    brin_minmax_multi_distance_numeric brin_minmax_multi_distance_pg_lsn brin_minmax_multi_distance_tid
    brin_minmax_multi_distance_time brin_minmax_multi_distance_timestamp brin_minmax_multi_distance_timetz
    brin_minmax_multi_distance_uuid brin_minmax_multi_opcinfo brin_minmax_multi_options brin_minmax_multi_summary_in
    brin_minmax_multi_summary_out brin_minmax_multi_summary_recv brin_minmax_multi_summary_send
    brin_minmax_multi_union brin_minmax_opcinfo brin_minmax_union brinhandler broadcast btarraycmp btboolcmp
    btboolskipsupport btbpchar_pattern_cmp btbpchar_pattern_sortsupport btcharcmp btcharskipsupport btequalimage
    btfloat48cmp btfloat4cmp btfloat4sortsupport btfloat84cmp btfloat8cmp btfloat8sortsupport bthandler btint24cmp
    btint28cmp btint2cmp btint2skipsupport btint2sortsupport btint42cmp btint48cmp btint4cmp btint4skipsupport
    btint4sortsupport btint82cmp btint84cmp btint8cmp btint8skipsupport btint8sortsupport btnamecmp btnamesortsupport
    btnametextcmp btoidcmp btoidskipsupport btoidsortsupport btoidvectorcmp btrecordcmp btrecordimagecmp btrim
    bttext_pattern_cmp bttext_pattern_sortsupport bttextcmp bttextnamecmp bttextsortsupport bttidcmp
    btvarstrequalimage bytea bytea_larger bytea_smaller bytea_sortsupport bytea_string_agg_finalfn
    bytea_string_agg_transfn byteacat byteacmp byteaeq byteage byteagt byteain byteale bytealike bytealt byteane
    byteanlike byteaout bytearecv byteasend cardinality casefold cash_cmp cash_div_cash cash_div_flt4 cash_div_flt8
    cash_div_int2 cash_div_int4 cash_div_int8 cash_eq cash_ge cash_gt cash_in cash_le cash_lt cash_mi cash_mul_flt4
    cash_mul_flt8 cash_mul_int2 cash_mul_int4 cash_mul_int8 cash_ne cash_out cash_pl cash_recv cash_send cash_words
    cashlarger cashsmaller cbrt ceil ceiling center char char_length character_length chareq charge chargt charin
    charle charlt charne charout charrecv charsend chr cideq cidin cidout cidr cidr_in cidr_out cidr_recv cidr_send
    cidrecv cidsend circle circle_above circle_add_pt circle_below circle_center circle_contain circle_contain_pt
    circle_contained circle_distance circle_div_pt circle_eq circle_ge circle_gt circle_in circle_le circle_left
    circle_lt circle_mul_pt circle_ne circle_out circle_overabove circle_overbelow circle_overlap circle_overleft
    circle_overright circle_recv circle_right circle_same circle_send circle_sub_pt clock_timestamp close_lb close_ls
    close_lseg close_pb close_pl close_ps close_sb close_sl col_description concat concat_ws contjoinsel contsel
    convert convert_from convert_to corr cos cosd cosh cot cotd count covar_pop covar_samp crc32 crc32c cstring_in
    cstring_out cstring_recv cstring_send cume_dist cume_dist_final current_database current_query current_schema
    current_schemas current_user date date_add date_bin date_cmp date_cmp_timestamp date_cmp_timestamptz date_eq
    date_eq_timestamp date_eq_timestamptz date_ge date_ge_timestamp date_ge_timestamptz date_gt date_gt_timestamp
    date_gt_timestamptz date_in date_larger date_le date_le_timestamp date_le_timestamptz date_lt date_lt_timestamp
    date_lt_timestamptz date_mi date_mi_interval date_mii date_ne date_ne_timestamp date_ne_timestamptz date_out
    date_part date_pl_interval date_pli date_recv date_send date_skipsupport date_smaller date_sortsupport
    date_subtract date_trunc datemultirange daterange daterange_canonical daterange_subdiff datetime_pl datetimetz_pl
    dcbrt decode degrees dense_rank dense_rank_final dexp diagonal diameter dispell_init dispell_lexize dist_bl
    dist_bp dist_bs dist_cpoint dist_cpoly dist_lb dist_lp dist_ls dist_pathp dist_pb dist_pc dist_pl dist_polyc
    dist_polyp dist_ppath dist_ppoly dist_ps dist_sb dist_sl dist_sp div dlog1 dlog10 domain_recv dpow
    dround dsimple_init dsimple_lexize dsnowball_init dsnowball_lexize dsqrt dsynonym_init dsynonym_lexize dtrunc
    elem_contained_by_multirange elem_contained_by_range elem_contained_by_range_support encode enum_cmp enum_eq
    enum_first enum_ge enum_gt enum_in enum_larger enum_last enum_le enum_lt enum_ne enum_out enum_range enum_recv
    enum_send enum_smaller eqjoinsel eqsel erf erfc euc_cn_to_mic euc_cn_to_utf8 euc_jis_2004_to_shift_jis_2004
    euc_jis_2004_to_utf8 euc_jp_to_mic euc_jp_to_sjis euc_jp_to_utf8 euc_kr_to_mic euc_kr_to_utf8 euc_tw_to_big5
    euc_tw_to_mic euc_tw_to_utf8 event_trigger_in event_trigger_out every exp extract factorial family fdw_handler_in
    fdw_handler_out first_value float4 float48div float48eq float48ge float48gt float48le float48lt float48mi
    float48mul float48ne float48pl float4_accum float4abs float4div float4eq float4ge float4gt float4in float4larger
    float4le float4lt float4mi float4mul float4ne float4out float4pl float4recv float4send float4smaller float4um
    float4up float8 float84div float84eq float84ge float84gt float84le float84lt float84mi float84mul float84ne
    float84pl float8_accum float8_avg float8_combine float8_corr float8_covar_pop float8_covar_samp float8_regr_accum
    float8_regr_avgx float8_regr_avgy float8_regr_combine float8_regr_intercept float8_regr_r2 float8_regr_slope
    float8_regr_sxx float8_regr_sxy float8_regr_syy float8_stddev_pop float8_stddev_samp float8_var_pop
    float8_var_samp float8abs float8div float8eq float8ge float8gt float8in float8larger float8le float8lt float8mi
    float8mul float8ne float8out float8pl float8recv float8send float8smaller float8um float8up floor flt4_mul_cash
    flt8_mul_cash fmgr_c_validator fmgr_internal_validator fmgr_sql_validator format format_type gamma gb18030_to_utf8
    gbk_to_utf8 gcd gen_random_uuid generate_series generate_series_int4_support generate_series_int8_support
    generate_series_numeric_support generate_series_timestamp_support generate_subscripts get_bit get_byte
    get_current_ts_config getdatabaseencoding getpgusername gin_cmp_prefix gin_cmp_tslexeme gin_compare_jsonb
    gin_consistent_jsonb gin_consistent_jsonb_path gin_extract_jsonb gin_extract_jsonb_path gin_extract_jsonb_query
    gin_extract_jsonb_query_path gin_extract_tsquery gin_extract_tsvector gin_triconsistent_jsonb
    gin_triconsistent_jsonb_path gin_tsquery_consistent gin_tsquery_triconsistent ginarrayconsistent ginarrayextract
    ginarraytriconsistent ginhandler ginqueryarrayextract gist_box_consistent gist_box_distance gist_box_penalty
    gist_box_picksplit gist_box_same gist_box_union gist_circle_compress gist_circle_consistent gist_circle_distance
    gist_point_compress gist_point_consistent gist_point_distance gist_point_fetch gist_point_sortsupport
    gist_poly_compress gist_poly_consistent gist_poly_distance gist_translate_cmptype_common gisthandler
    gtsquery_compress gtsquery_consistent gtsquery_penalty gtsquery_picksplit gtsquery_same gtsquery_union
    gtsvector_compress gtsvector_consistent gtsvector_decompress gtsvector_options gtsvector_penalty
    gtsvector_picksplit gtsvector_same gtsvector_union gtsvectorin gtsvectorout has_any_column_privilege
    has_column_privilege has_database_privilege has_foreign_data_wrapper_privilege has_function_privilege
    has_language_privilege has_largeobject_privilege has_parameter_privilege has_schema_privilege
    has_sequence_privilege has_server_privilege has_table_privilege has_tablespace_privilege has_type_privilege
    hash_aclitem hash_aclitem_extended hash_array hash_array_extended hash_multirange hash_multirange_extended
    hash_numeric hash_numeric_extended hash_range hash_range_extended hash_record hash_record_extended hashbool
    hashboolextended hashbpchar hashbpcharextended hashbytea hashbyteaextended hashchar hashcharextended hashcid
    hashcidextended hashdate hashdateextended hashenum hashenumextended hashfloat4 hashfloat4extended hashfloat8
    hashfloat8extended hashhandler hashinet hashinetextended hashint2 hashint2extended hashint4 hashint4extended
    hashint8 hashint8extended hashmacaddr hashmacaddr8 hashmacaddr8extended hashmacaddrextended hashname
    hashnameextended hashoid hashoidextended hashoidvector hashoidvectorextended hashtext hashtextextended hashtid
    hashtidextended hashvarlena hashvarlenaextended hashxid hashxid8 hashxid8extended hashxidextended
    heap_tableam_handler height host hostmask iclikejoinsel iclikesel icnlikejoinsel icnlikesel icregexeqjoinsel
    icregexeqsel icregexnejoinsel icregexnesel icu_unicode_version in_range index_am_handler_in index_am_handler_out
    inet_client_addr inet_client_port inet_gist_compress inet_gist_consistent inet_gist_fetch inet_gist_penalty
    inet_gist_picksplit inet_gist_same inet_gist_union inet_in inet_merge inet_out inet_recv inet_same_family
    inet_send inet_server_addr inet_server_port inet_spg_choose inet_spg_config inet_spg_inner_consistent
    inet_spg_leaf_consistent inet_spg_picksplit inetand inetmi inetmi_int8 inetnot inetor inetpl initcap int2 int24div
    int24eq int24ge int24gt int24le int24lt int24mi int24mul int24ne int24pl int28div int28eq int28ge int28gt int28le
    int28lt int28mi int28mul int28ne int28pl int2_accum int2_accum_inv int2_avg_accum int2_avg_accum_inv int2_mul_cash
    int2_sum int2abs int2and int2div int2eq int2ge int2gt int2in int2int4_sum int2larger int2le int2lt int2mi int2mod
    int2mul int2ne int2not int2or int2out int2pl int2recv int2send int2shl int2shr int2smaller int2um int2up
    int2vectorin int2vectorout int2vectorrecv int2vectorsend int2xor int4 int42div int42eq int42ge int42gt int42le
    int42lt int42mi int42mul int42ne int42pl int48div int48eq int48ge int48gt int48le int48lt int48mi int48mul int48ne
    int48pl int4_accum int4_accum_inv int4_avg_accum int4_avg_accum_inv int4_avg_combine int4_mul_cash int4_sum
    int4abs int4and int4div int4eq int4ge int4gt int4in int4inc int4larger int4le int4lt int4mi int4mod int4mul
    int4multirange int4ne int4not int4or int4out int4pl int4range int4range_canonical int4range_subdiff int4recv
    int4send int4shl int4shr int4smaller int4um int4up int4xor int8 int82div int82eq int82ge int82gt int82le int82lt
    int82mi int82mul int82ne int82pl int84div int84eq int84ge int84gt int84le int84lt int84mi int84mul int84ne int84pl
    int8_accum int8_accum_inv int8_avg int8_avg_accum int8_avg_accum_inv int8_avg_combine int8_avg_deserialize
    int8_avg_serialize int8_mul_cash int8_sum int8abs int8and int8dec int8dec_any int8div int8eq int8ge int8gt int8in
    int8inc int8inc_any int8inc_float8_float8 int8inc_support int8larger int8le int8lt int8mi int8mod int8mul
    int8multirange int8ne int8not int8or int8out int8pl int8pl_inet int8range int8range_canonical int8range_subdiff
    int8recv int8send int8shl int8shr int8smaller int8um int8up int8xor integer_pl_date inter_lb inter_sb inter_sl
    internal_in internal_out interval interval_accum interval_accum_inv interval_avg interval_avg_accum
    interval_avg_accum_inv interval_avg_combine interval_avg_deserialize interval_avg_serialize interval_cmp
    interval_combine interval_div interval_eq interval_ge interval_gt interval_hash interval_hash_extended interval_in
    interval_larger interval_le interval_lt interval_mi interval_mul interval_ne interval_out interval_pl
    interval_pl_date interval_pl_time interval_pl_timestamp interval_pl_timestamptz interval_pl_timetz interval_recv
    interval_send interval_smaller interval_sum interval_support interval_um intervaltypmodin intervaltypmodout
    is_normalized isclosed isempty isfinite ishorizontal iso8859_1_to_utf8 iso8859_to_utf8 iso_to_koi8r iso_to_mic
    iso_to_win1251 iso_to_win866 isopen isparallel isperp isvertical johab_to_utf8
`;
