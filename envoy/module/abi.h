/* What known_ids.c uses of Envoy's ABI of dynamic modules, version v0.2.0 (Envoy 1.40).
 *
 * The whole is source/extensions/dynamic_modules/abi/abi.h of Envoy. An Envoy with another version
 * says so in its log when it loads the module; tests/xds/test_module.py shows whether it works.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define TRIO2O_ABI_VERSION "v0.2.0"

/* Bytes of the one who names them, without an end mark. */
typedef struct {
  const char *ptr;
  size_t length;
} envoy_buffer;

typedef struct {
  const char *key_ptr;
  size_t key_length;
  const char *value_ptr;
  size_t value_length;
} envoy_header;

/* Called by Envoy. */
const char *envoy_dynamic_module_on_program_init(void);
void *envoy_dynamic_module_on_early_header_mutation_config_new(void *envoy, envoy_buffer name,
                                                               envoy_buffer config);
void envoy_dynamic_module_on_early_header_mutation_config_destroy(void *config);
bool envoy_dynamic_module_on_early_header_mutation_mutate(void *config, void *request);

/* Offered by Envoy, of the headers of one request; they hold only during `mutate`, and what
 * `get_headers` gives only until the next change of a header. */
size_t envoy_dynamic_module_callback_early_header_mutation_get_headers_size(void *request);
bool envoy_dynamic_module_callback_early_header_mutation_get_headers(void *request,
                                                                     envoy_header *headers);
bool envoy_dynamic_module_callback_early_header_mutation_set_header(void *request,
                                                                    envoy_buffer name,
                                                                    envoy_buffer value);
bool envoy_dynamic_module_callback_early_header_mutation_add_header(void *request,
                                                                    envoy_buffer name,
                                                                    envoy_buffer value);
bool envoy_dynamic_module_callback_early_header_mutation_remove_header(void *request,
                                                                       envoy_buffer name);
