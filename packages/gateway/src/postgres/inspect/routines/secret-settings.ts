/**
 * Settings that a session may not even read without `catalog-values`: those that PostgreSQL 13 to 18 show to superusers and
 * pg_read_all_settings only (GUC_SUPERUSER_ONLY, compared on real servers), and commands, whose text may hold a password.
 */
export const SECRET_SETTINGS: ReadonlySet<string> = new Set([
  'archive_cleanup_command',
  'archive_command',
  'config_file',
  'data_directory',
  'dynamic_library_path',
  'extension_control_path',
  'external_pid_file',
  'hba_file',
  'ident_file',
  'jit_provider',
  'krb_server_keyfile',
  'log_directory',
  'log_filename',
  'oauth_validator_libraries',
  'primary_conninfo',
  'promote_trigger_file',
  'recovery_end_command',
  'restore_command',
  'session_preload_libraries',
  'shared_preload_libraries',
  'ssl_ca_file',
  'ssl_cert_file',
  'ssl_ciphers',
  'ssl_crl_dir',
  'ssl_crl_file',
  'ssl_dh_params_file',
  'ssl_ecdh_curve',
  'ssl_groups',
  'ssl_key_file',
  'ssl_max_protocol_version',
  'ssl_min_protocol_version',
  'ssl_passphrase_command',
  'ssl_tls13_ciphers',
  'stats_temp_directory',
  'unix_socket_directories',
]);

/** @param name as the caller wrote it; the server compares without regard to case. */
export function isSecretSetting(name: string): boolean {
  return SECRET_SETTINGS.has(name.toLowerCase());
}
