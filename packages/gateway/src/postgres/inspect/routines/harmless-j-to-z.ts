/**
 * The routines of pg_catalog, PostgreSQL 13 to 18, that compute from the values they are given, tell names and types, or tell
 * something of the own session: names from J to Z. Only what is listed is harmless; a routine of a newer server that no list has is demanded by name.
 */
export const HARMLESS_J_TO_Z = `
    json_agg json_agg_finalfn json_agg_strict json_agg_strict_transfn json_agg_transfn json_array_element
    json_array_element_text json_array_elements json_array_elements_text json_array_length json_build_array
    json_build_object json_each json_each_text json_extract_path json_extract_path_text json_in json_object
    json_object_agg json_object_agg_finalfn json_object_agg_strict json_object_agg_strict_transfn
    json_object_agg_transfn json_object_agg_unique json_object_agg_unique_strict json_object_agg_unique_strict_transfn
    json_object_agg_unique_transfn json_object_field json_object_field_text json_object_keys json_out
    json_populate_record json_populate_recordset json_recv json_send json_strip_nulls json_to_record json_to_recordset
    json_to_tsvector json_typeof jsonb_agg jsonb_agg_finalfn jsonb_agg_strict jsonb_agg_strict_transfn
    jsonb_agg_transfn jsonb_array_element jsonb_array_element_text jsonb_array_elements jsonb_array_elements_text
    jsonb_array_length jsonb_build_array jsonb_build_object jsonb_cmp jsonb_concat jsonb_contained jsonb_contains
    jsonb_delete jsonb_delete_path jsonb_each jsonb_each_text jsonb_eq jsonb_exists jsonb_exists_all jsonb_exists_any
    jsonb_extract_path jsonb_extract_path_text jsonb_ge jsonb_gt jsonb_hash jsonb_hash_extended jsonb_in jsonb_insert
    jsonb_le jsonb_lt jsonb_ne jsonb_object jsonb_object_agg jsonb_object_agg_finalfn jsonb_object_agg_strict
    jsonb_object_agg_strict_transfn jsonb_object_agg_transfn jsonb_object_agg_unique jsonb_object_agg_unique_strict
    jsonb_object_agg_unique_strict_transfn jsonb_object_agg_unique_transfn jsonb_object_field jsonb_object_field_text
    jsonb_object_keys jsonb_out jsonb_path_exists jsonb_path_exists_opr jsonb_path_exists_tz jsonb_path_match
    jsonb_path_match_opr jsonb_path_match_tz jsonb_path_query jsonb_path_query_array jsonb_path_query_array_tz
    jsonb_path_query_first jsonb_path_query_first_tz jsonb_path_query_tz jsonb_populate_record
    jsonb_populate_record_valid jsonb_populate_recordset jsonb_pretty jsonb_recv jsonb_send jsonb_set jsonb_set_lax
    jsonb_strip_nulls jsonb_subscript_handler jsonb_to_record jsonb_to_recordset jsonb_to_tsvector jsonb_typeof
    jsonpath_in jsonpath_out jsonpath_recv jsonpath_send justify_days justify_hours justify_interval koi8r_to_iso
    koi8r_to_mic koi8r_to_utf8 koi8r_to_win1251 koi8r_to_win866 koi8u_to_utf8 lag language_handler_in
    language_handler_out last_value latin1_to_mic latin2_to_mic latin2_to_win1250 latin3_to_mic latin4_to_mic lcm lead
    left length lgamma like like_escape likejoinsel likesel line line_distance line_eq line_horizontal line_in
    line_interpt line_intersect line_out line_parallel line_perp line_recv line_send line_vertical ln log log10 lower
    lower_inc lower_inf lpad lseg lseg_center lseg_distance lseg_eq lseg_ge lseg_gt lseg_horizontal lseg_in
    lseg_interpt lseg_intersect lseg_le lseg_length lseg_lt lseg_ne lseg_out lseg_parallel lseg_perp lseg_recv
    lseg_send lseg_vertical ltrim macaddr macaddr8 macaddr8_and macaddr8_cmp macaddr8_eq macaddr8_ge macaddr8_gt
    macaddr8_in macaddr8_le macaddr8_lt macaddr8_ne macaddr8_not macaddr8_or macaddr8_out macaddr8_recv macaddr8_send
    macaddr8_set7bit macaddr_and macaddr_cmp macaddr_eq macaddr_ge macaddr_gt macaddr_in macaddr_le macaddr_lt
    macaddr_ne macaddr_not macaddr_or macaddr_out macaddr_recv macaddr_send macaddr_sortsupport make_date
    make_interval make_time make_timestamp make_timestamptz makeaclitem masklen matchingjoinsel matchingsel max md5
    mic_to_big5 mic_to_euc_cn mic_to_euc_jp mic_to_euc_kr mic_to_euc_tw mic_to_iso mic_to_koi8r mic_to_latin1
    mic_to_latin2 mic_to_latin3 mic_to_latin4 mic_to_sjis mic_to_win1250 mic_to_win1251 mic_to_win866 min min_scale
    mod mode mode_final money mul_d_interval multirange multirange_adjacent_multirange multirange_adjacent_range
    multirange_after_multirange multirange_after_range multirange_agg_finalfn multirange_agg_transfn
    multirange_before_multirange multirange_before_range multirange_cmp multirange_contained_by_multirange
    multirange_contained_by_range multirange_contains_elem multirange_contains_multirange multirange_contains_range
    multirange_eq multirange_ge multirange_gist_compress multirange_gist_consistent multirange_gt
    multirange_intersect multirange_intersect_agg_transfn multirange_le multirange_lt multirange_minus multirange_ne
    multirange_out multirange_overlaps_multirange multirange_overlaps_range multirange_overleft_multirange
    multirange_overleft_range multirange_overright_multirange multirange_overright_range multirange_recv
    multirange_send multirange_typanalyze multirange_union multirangesel mxid_age name nameconcatoid nameeq nameeqtext
    namege namegetext namegt namegttext nameiclike nameicnlike nameicregexeq nameicregexne namein namele nameletext
    namelike namelt namelttext namene namenetext namenlike nameout namerecv nameregexeq nameregexne namesend
    neqjoinsel neqsel netmask network network_cmp network_eq network_ge network_gt network_larger network_le
    network_lt network_ne network_overlap network_smaller network_sortsupport network_sub network_subeq
    network_subset_support network_sup network_supeq networkjoinsel networksel nlikejoinsel nlikesel normalize notlike
    now npoints nth_value ntile num_nonnulls num_nulls numeric numeric_abs numeric_accum numeric_accum_inv numeric_add
    numeric_avg numeric_avg_accum numeric_avg_combine numeric_avg_deserialize numeric_avg_serialize numeric_cmp
    numeric_combine numeric_deserialize numeric_div numeric_div_trunc numeric_eq numeric_exp numeric_fac numeric_ge
    numeric_gt numeric_in numeric_inc numeric_larger numeric_le numeric_ln numeric_log numeric_lt numeric_mod
    numeric_mul numeric_ne numeric_out numeric_pl_pg_lsn numeric_poly_avg numeric_poly_combine
    numeric_poly_deserialize numeric_poly_serialize numeric_poly_stddev_pop numeric_poly_stddev_samp numeric_poly_sum
    numeric_poly_var_pop numeric_poly_var_samp numeric_power numeric_recv numeric_send numeric_serialize
    numeric_smaller numeric_sortsupport numeric_sqrt numeric_stddev_pop numeric_stddev_samp numeric_sub numeric_sum
    numeric_support numeric_uminus numeric_uplus numeric_var_pop numeric_var_samp numerictypmodin numerictypmodout
    nummultirange numnode numrange numrange_subdiff obj_description octet_length oid oideq oidge oidgt oidin oidlarger
    oidle oidlt oidne oidout oidrecv oidsend oidsmaller oidvectoreq oidvectorge oidvectorgt oidvectorin oidvectorle
    oidvectorlt oidvectorne oidvectorout oidvectorrecv oidvectorsend oidvectortypes on_pb on_pl on_ppath on_ps on_sb
    on_sl ordered_set_transition ordered_set_transition_multi overlaps overlay parse_ident path path_add path_add_pt
    path_center path_contain_pt path_distance path_div_pt path_in path_inter path_length path_mul_pt path_n_eq
    path_n_ge path_n_gt path_n_le path_n_lt path_npoints path_out path_recv path_send path_sub_pt pclose percent_rank
    percent_rank_final percentile_cont percentile_cont_float8_final percentile_cont_float8_multi_final
    percentile_cont_interval_final percentile_cont_interval_multi_final percentile_disc percentile_disc_final
    percentile_disc_multi_final pg_advisory_unlock_all pg_available_extension_versions pg_available_extensions pg_backend_pid
    pg_backup_start_time pg_basetype pg_char_to_encoding pg_client_encoding pg_collation_actual_version
    pg_collation_for pg_collation_is_visible pg_column_compression pg_column_is_updatable pg_column_size
    pg_column_toast_chunk_id pg_conf_load_time pg_conversion_is_visible pg_current_snapshot pg_current_xact_id
    pg_current_xact_id_if_assigned pg_database_collation_actual_version pg_database_size pg_ddl_command_in
    pg_ddl_command_out pg_ddl_command_recv pg_ddl_command_send pg_dependencies_in pg_dependencies_out
    pg_dependencies_recv pg_dependencies_send pg_describe_object pg_encoding_max_length pg_encoding_to_char
    pg_event_trigger_ddl_commands pg_event_trigger_dropped_objects pg_event_trigger_table_rewrite_oid
    pg_event_trigger_table_rewrite_reason pg_extension_update_paths pg_filenode_relation pg_function_is_visible
    pg_get_acl pg_get_catalog_foreign_keys pg_get_constraintdef pg_get_expr pg_get_function_arg_default
    pg_get_function_arguments pg_get_function_identity_arguments pg_get_function_result pg_get_function_sqlbody
    pg_get_functiondef pg_get_indexdef pg_get_keywords pg_get_object_address pg_get_partition_constraintdef
    pg_get_partkeydef pg_get_publication_tables pg_get_replica_identity_index pg_get_ruledef pg_get_serial_sequence
    pg_get_statisticsobjdef pg_get_statisticsobjdef_columns pg_get_statisticsobjdef_expressions pg_get_triggerdef
    pg_get_userbyid pg_get_viewdef pg_get_wait_events pg_get_wal_resource_managers pg_has_role pg_identify_object
    pg_identify_object_as_address pg_index_column_has_property pg_index_has_property pg_indexam_has_property
    pg_indexam_progress_phasename pg_indexes_size pg_is_in_backup pg_is_in_recovery pg_is_other_temp_schema
    pg_jit_available pg_listening_channels pg_lsn pg_lsn_cmp pg_lsn_eq pg_lsn_ge pg_lsn_gt pg_lsn_hash
    pg_lsn_hash_extended pg_lsn_in pg_lsn_larger pg_lsn_le pg_lsn_lt pg_lsn_mi pg_lsn_mii pg_lsn_ne pg_lsn_out
    pg_lsn_pli pg_lsn_recv pg_lsn_send pg_lsn_smaller pg_mcv_list_in pg_mcv_list_items pg_mcv_list_out
    pg_mcv_list_recv pg_mcv_list_send pg_my_temp_schema pg_ndistinct_in pg_ndistinct_out pg_ndistinct_recv
    pg_ndistinct_send pg_node_tree_in pg_node_tree_out pg_node_tree_recv pg_node_tree_send pg_notification_queue_usage
    pg_numa_available pg_opclass_is_visible pg_operator_is_visible pg_opfamily_is_visible pg_options_to_table
    pg_partition_ancestors pg_partition_root pg_partition_tree pg_postmaster_start_time pg_relation_filenode
    pg_relation_filepath pg_relation_is_publishable pg_relation_is_updatable pg_relation_size pg_sequence_parameters
    pg_settings_get_flags pg_size_bytes pg_size_pretty pg_sleep pg_sleep_for pg_sleep_until pg_snapshot_in
    pg_snapshot_out pg_snapshot_recv pg_snapshot_send pg_snapshot_xip pg_snapshot_xmax pg_snapshot_xmin
    pg_split_walfile_name pg_stat_clear_snapshot pg_stat_force_next_flush pg_statistics_obj_is_visible
    pg_table_is_visible pg_table_size pg_tablespace_databases pg_tablespace_location pg_tablespace_size
    pg_timezone_abbrevs pg_timezone_abbrevs_abbrevs pg_timezone_abbrevs_zone pg_timezone_names pg_total_relation_size
    pg_trigger_depth pg_ts_config_is_visible pg_ts_dict_is_visible pg_ts_parser_is_visible pg_ts_template_is_visible
    pg_type_is_visible pg_typeof pg_visible_in_snapshot pg_wal_lsn_diff pg_walfile_name pg_walfile_name_offset
    pg_xact_commit_timestamp pg_xact_commit_timestamp_origin pg_xact_status phraseto_tsquery pi plainto_tsquery
    plperl_call_handler plperl_inline_handler plperl_validator plperlu_call_handler plperlu_inline_handler
    plperlu_validator plpgsql_call_handler plpgsql_inline_handler plpgsql_validator plpython3_call_handler
    plpython3_inline_handler plpython3_validator pltcl_call_handler pltclu_call_handler point point_above point_add
    point_below point_distance point_div point_eq point_horiz point_in point_left point_mul point_ne point_out
    point_recv point_right point_send point_sub point_vert poly_above poly_below poly_center poly_contain
    poly_contain_pt poly_contained poly_distance poly_in poly_left poly_npoints poly_out poly_overabove poly_overbelow
    poly_overlap poly_overleft poly_overright poly_recv poly_right poly_same poly_send polygon popen position
    positionjoinsel positionsel postgresql_fdw_validator pow power prefixjoinsel prefixsel prsd_end prsd_headline
    prsd_lextype prsd_nexttoken prsd_start pt_contained_circle pt_contained_poly querytree quote_ident quote_literal
    quote_nullable radians radius random random_normal range_adjacent range_adjacent_multirange range_after
    range_after_multirange range_agg range_agg_finalfn range_agg_transfn range_before range_before_multirange
    range_cmp range_contained_by range_contained_by_multirange range_contains range_contains_elem
    range_contains_elem_support range_contains_multirange range_eq range_ge range_gist_consistent range_gist_penalty
    range_gist_picksplit range_gist_same range_gist_union range_gt range_intersect range_intersect_agg
    range_intersect_agg_transfn range_le range_lt range_merge range_minus range_ne range_out range_overlaps
    range_overlaps_multirange range_overleft range_overleft_multirange range_overright range_overright_multirange
    range_recv range_send range_sortsupport range_typanalyze range_union rangesel rank rank_final
    raw_array_subscript_handler record_eq record_ge record_gt record_image_eq record_image_ge record_image_gt
    record_image_le record_image_lt record_image_ne record_larger record_le record_lt record_ne record_out
    record_recv record_send record_smaller regclass regclassin regclassout regclassrecv regclasssend regcollationin
    regcollationout regcollationrecv regcollationsend regconfigin regconfigout regconfigrecv regconfigsend
    regdictionaryin regdictionaryout regdictionaryrecv regdictionarysend regexeqjoinsel regexeqsel regexnejoinsel
    regexnesel regexp_count regexp_instr regexp_like regexp_match regexp_matches regexp_replace regexp_split_to_array
    regexp_split_to_table regexp_substr regnamespacein regnamespaceout regnamespacerecv regnamespacesend regoperatorin
    regoperatorout regoperatorrecv regoperatorsend regoperin regoperout regoperrecv regopersend regprocedurein
    regprocedureout regprocedurerecv regproceduresend regprocin regprocout regprocrecv regprocsend regr_avgx regr_avgy
    regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy regrolein regroleout regrolerecv
    regrolesend regtypein regtypeout regtyperecv regtypesend repeat replace reverse right round row_number
    row_security_active row_to_json rpad rtrim satisfies_hash_partition scalargejoinsel scalargesel scalargtjoinsel
    scalargtsel scalarlejoinsel scalarlesel scalarltjoinsel scalarltsel scale session_user set_bit set_byte
    set_masklen setseed setweight sha224 sha256 sha384 sha512 shell_in shell_out shift_jis_2004_to_euc_jis_2004
    shift_jis_2004_to_utf8 shobj_description sign similar_escape similar_to_escape sin sind sinh sjis_to_euc_jp
    sjis_to_mic sjis_to_utf8 slope spg_bbox_quad_config spg_box_quad_choose spg_box_quad_config
    spg_box_quad_inner_consistent spg_box_quad_leaf_consistent spg_box_quad_picksplit spg_kd_choose spg_kd_config
    spg_kd_inner_consistent spg_kd_picksplit spg_poly_quad_compress spg_quad_choose spg_quad_config
    spg_quad_inner_consistent spg_quad_leaf_consistent spg_quad_picksplit spg_range_quad_choose spg_range_quad_config
    spg_range_quad_inner_consistent spg_range_quad_leaf_consistent spg_range_quad_picksplit spg_text_choose
    spg_text_config spg_text_inner_consistent spg_text_leaf_consistent spg_text_picksplit spghandler split_part sqrt
    starts_with statement_timestamp stddev stddev_pop stddev_samp string_agg string_agg_combine string_agg_deserialize
    string_agg_finalfn string_agg_serialize string_agg_transfn string_to_array string_to_table strip strpos substr
    substring sum suppress_redundant_updates_trigger system system_user table_am_handler_in table_am_handler_out tan
    tand tanh text text_ge text_gt text_larger text_le text_lt text_pattern_ge text_pattern_gt text_pattern_le
    text_pattern_lt text_smaller text_starts_with_support textanycat textcat texteq texteqname textgename textgtname
    texticlike texticlike_support texticnlike texticregexeq texticregexeq_support texticregexne textin textlen
    textlename textlike textlike_support textltname textne textnename textnlike textout textrecv textregexeq
    textregexeq_support textregexne textsend thesaurus_init thesaurus_lexize tideq tidge tidgt tidin tidlarger tidle
    tidlt tidne tidout tidrecv tidsend tidsmaller time time_cmp time_eq time_ge time_gt time_hash time_hash_extended
    time_in time_larger time_le time_lt time_mi_interval time_mi_time time_ne time_out time_pl_interval time_recv
    time_send time_smaller time_support timedate_pl timeofday timestamp timestamp_cmp timestamp_cmp_date
    timestamp_cmp_timestamptz timestamp_eq timestamp_eq_date timestamp_eq_timestamptz timestamp_ge timestamp_ge_date
    timestamp_ge_timestamptz timestamp_gt timestamp_gt_date timestamp_gt_timestamptz timestamp_hash
    timestamp_hash_extended timestamp_in timestamp_larger timestamp_le timestamp_le_date timestamp_le_timestamptz
    timestamp_lt timestamp_lt_date timestamp_lt_timestamptz timestamp_mi timestamp_mi_interval timestamp_ne
    timestamp_ne_date timestamp_ne_timestamptz timestamp_out timestamp_pl_interval timestamp_recv timestamp_send
    timestamp_skipsupport timestamp_smaller timestamp_sortsupport timestamp_support timestamptypmodin
    timestamptypmodout timestamptz timestamptz_cmp timestamptz_cmp_date timestamptz_cmp_timestamp timestamptz_eq
    timestamptz_eq_date timestamptz_eq_timestamp timestamptz_ge timestamptz_ge_date timestamptz_ge_timestamp
    timestamptz_gt timestamptz_gt_date timestamptz_gt_timestamp timestamptz_hash timestamptz_hash_extended
    timestamptz_in timestamptz_larger timestamptz_le timestamptz_le_date timestamptz_le_timestamp timestamptz_lt
    timestamptz_lt_date timestamptz_lt_timestamp timestamptz_mi timestamptz_mi_interval timestamptz_ne
    timestamptz_ne_date timestamptz_ne_timestamp timestamptz_out timestamptz_pl_interval timestamptz_recv
    timestamptz_send timestamptz_smaller timestamptztypmodin timestamptztypmodout timetypmodin timetypmodout timetz
    timetz_cmp timetz_eq timetz_ge timetz_gt timetz_hash timetz_hash_extended timetz_in timetz_larger timetz_le
    timetz_lt timetz_mi_interval timetz_ne timetz_out timetz_pl_interval timetz_recv timetz_send timetz_smaller
    timetzdate_pl timetztypmodin timetztypmodout timezone to_ascii to_bin to_char to_date to_hex to_json to_jsonb
    to_number to_oct to_regclass to_regcollation to_regnamespace to_regoper to_regoperator to_regproc to_regprocedure
    to_regrole to_regtype to_regtypemod to_timestamp to_tsquery to_tsvector transaction_timestamp translate trigger_in
    trigger_out trim_array trim_scale trunc ts_debug ts_delete ts_filter ts_headline ts_lexize ts_match_qv ts_match_tq
    ts_match_tt ts_match_vq ts_parse ts_rank ts_rank_cd ts_token_type ts_typanalyze tsm_handler_in tsm_handler_out
    tsmatchjoinsel tsmatchsel tsmultirange tsq_mcontained tsq_mcontains tsquery_and tsquery_cmp tsquery_eq tsquery_ge
    tsquery_gt tsquery_le tsquery_lt tsquery_ne tsquery_not tsquery_or tsquery_phrase tsqueryin tsqueryout tsqueryrecv
    tsquerysend tsrange tsrange_subdiff tstzmultirange tstzrange tstzrange_subdiff tsvector_cmp tsvector_concat
    tsvector_eq tsvector_ge tsvector_gt tsvector_le tsvector_lt tsvector_ne tsvector_to_array tsvector_update_trigger
    tsvector_update_trigger_column tsvectorin tsvectorout tsvectorrecv tsvectorsend txid_current
    txid_current_if_assigned txid_current_snapshot txid_snapshot_in txid_snapshot_out txid_snapshot_recv
    txid_snapshot_send txid_snapshot_xip txid_snapshot_xmax txid_snapshot_xmin txid_status txid_visible_in_snapshot
    uhc_to_utf8 unicode_assigned unicode_version unique_key_recheck unistr unknownin unknownout unknownrecv
    unknownsend unnest upper upper_inc upper_inf utf8_to_big5 utf8_to_euc_cn utf8_to_euc_jis_2004 utf8_to_euc_jp
    utf8_to_euc_kr utf8_to_euc_tw utf8_to_gb18030 utf8_to_gbk utf8_to_iso8859 utf8_to_iso8859_1 utf8_to_johab
    utf8_to_koi8r utf8_to_koi8u utf8_to_shift_jis_2004 utf8_to_sjis utf8_to_uhc utf8_to_win uuid_cmp uuid_eq
    uuid_extract_timestamp uuid_extract_version uuid_ge uuid_gt uuid_hash uuid_hash_extended uuid_in uuid_le uuid_lt
    uuid_ne uuid_out uuid_recv uuid_send uuid_skipsupport uuid_sortsupport uuidv4 uuidv7 var_pop var_samp varbit
    varbit_in varbit_out varbit_recv varbit_send varbit_support varbitcmp varbiteq varbitge varbitgt varbitle varbitlt
    varbitne varbittypmodin varbittypmodout varchar varchar_support varcharin varcharout varcharrecv varcharsend
    varchartypmodin varchartypmodout variance version void_in void_out void_recv void_send websearch_to_tsquery width
    width_bucket win1250_to_latin2 win1250_to_mic win1251_to_iso win1251_to_koi8r win1251_to_mic win1251_to_win866
    win866_to_iso win866_to_koi8r win866_to_mic win866_to_win1251 win_to_utf8 window_cume_dist_support
    window_dense_rank_support window_ntile_support window_percent_rank_support window_rank_support
    window_row_number_support xid xid8_larger xid8_smaller xid8cmp xid8eq xid8ge xid8gt xid8in xid8le xid8lt xid8ne
    xid8out xid8recv xid8send xideq xideqint4 xidin xidneq xidneqint4 xidout xidrecv xidsend xml xml_in
    xml_is_well_formed xml_is_well_formed_content xml_is_well_formed_document xml_out xml_recv xml_send xmlagg
    xmlcomment xmlconcat2 xmlexists xmltext xmlvalidate xpath xpath_exists
`;
