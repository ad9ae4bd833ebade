/** The part of libpg-query's Emscripten module that `parser-instance.ts` uses; the package types only its one shared instance. */
declare module 'libpg-query/wasm/libpg-query.js' {
  export interface ParserModule {
    /** Views of the memory, made anew when it grows: read the property again after every call. */
    readonly HEAPU8: Uint8Array;
    readonly HEAPU32: Uint32Array;
    _malloc(bytes: number): number;
    _free(pointer: number): void;
    /** Takes UTF-8 that ends in NUL. Returns the address of {tree, stderr, error}: addresses, 0 for none. */
    _wasm_parse_query_raw(text: number): number;
    _wasm_free_parse_result(result: number): void;
    /** Returns the address of 16 hexadecimal digits, or of a message. */
    _wasm_fingerprint(text: number): number;
    _wasm_free_string(text: number): void;
  }
  export interface ParserModuleOptions {
    readonly print: (line: string) => void;
    readonly printErr: (line: string) => void;
  }
  const createParserModule: (options: ParserModuleOptions) => Promise<ParserModule>;
  // oxlint-disable-next-line import/no-default-export -- so it is published.
  export default createParserModule;
}
