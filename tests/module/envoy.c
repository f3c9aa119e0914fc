/* What Envoy offers the module of known ids, with the headers of one request in memory.
 *
 * Stricter than Envoy: with each change all strings that were handed out are overwritten and freed,
 * so that whoever reads one later reads what nobody has sent.
 */
#include "../../envoy/module/abi.h"
#include "envoy.h"

#include <stdlib.h>
#include <string.h>

struct header {
  char *name, *value;
  size_t name_length, value_length;
};

struct request {
  struct header *headers;
  size_t count;
};

static char *copied(const char *text, size_t length) {
  char *copy = malloc(length + 1);
  if (!copy) abort();
  if (length) memcpy(copy, text, length);
  copy[length] = 0;
  return copy;
}

static void spoilt(char *text, size_t length) {
  memset(text, 0xDD, length);
  free(text);
}

static char *moved(char *text, size_t length) {
  char *copy = copied(text, length);
  spoilt(text, length);
  return copy;
}

static void drop(struct header *header) {
  spoilt(header->name, header->name_length);
  spoilt(header->value, header->value_length);
}

static void move_all(struct request *request) {
  for (size_t index = 0; index < request->count; index++) {
    struct header *header = &request->headers[index];
    header->name = moved(header->name, header->name_length);
    header->value = moved(header->value, header->value_length);
  }
}

struct request *request_new(void) {
  struct request *request = calloc(1, sizeof *request);
  if (!request) abort();
  return request;
}

void request_add(struct request *request, const char *name, size_t name_length, const char *value,
                 size_t value_length) {
  struct header *headers =
      realloc(request->headers, (request->count + 1) * sizeof *request->headers);
  if (!headers) abort();
  request->headers = headers;
  headers[request->count++] = (struct header){copied(name, name_length), copied(value, value_length),
                                              name_length, value_length};
}

size_t request_count(const struct request *request) { return request->count; }

void request_read(const struct request *request, size_t index, envoy_header *header) {
  const struct header *found = &request->headers[index];
  *header =
      (envoy_header){found->name, found->name_length, found->value, found->value_length};
}

void request_free(struct request *request) {
  for (size_t index = 0; index < request->count; index++) drop(&request->headers[index]);
  free(request->headers);
  free(request);
}

static bool named(const struct header *header, envoy_buffer name) {
  return header->name_length == name.length && memcmp(header->name, name.ptr, name.length) == 0;
}

static void remove_all(struct request *request, envoy_buffer name) {
  size_t kept = 0;
  for (size_t index = 0; index < request->count; index++) {
    struct header header = request->headers[index];
    if (named(&header, name)) {
      drop(&header);
    } else {
      request->headers[kept++] = header;
    }
  }
  request->count = kept;
}

size_t envoy_dynamic_module_callback_early_header_mutation_get_headers_size(void *request) {
  return request_count(request);
}

bool envoy_dynamic_module_callback_early_header_mutation_get_headers(void *request,
                                                                     envoy_header *headers) {
  for (size_t index = 0; index < request_count(request); index++) {
    request_read(request, index, &headers[index]);
  }
  return true;
}

bool envoy_dynamic_module_callback_early_header_mutation_add_header(void *request,
                                                                    envoy_buffer name,
                                                                    envoy_buffer value) {
  if (name.length == 0) return false;
  request_add(request, name.ptr, name.length, value.ptr, value.length);
  move_all(request);
  return true;
}

bool envoy_dynamic_module_callback_early_header_mutation_remove_header(void *request,
                                                                       envoy_buffer name) {
  if (name.length == 0) return false;
  /* The name may be one that goes. */
  char *copy = copied(name.ptr, name.length);
  remove_all(request, (envoy_buffer){copy, name.length});
  free(copy);
  move_all(request);
  return true;
}

bool envoy_dynamic_module_callback_early_header_mutation_set_header(void *request,
                                                                    envoy_buffer name,
                                                                    envoy_buffer value) {
  if (name.length == 0) return false;
  char *copy = copied(value.ptr, value.length);
  envoy_dynamic_module_callback_early_header_mutation_remove_header(request, name);
  request_add(request, name.ptr, name.length, copy, value.length);
  free(copy);
  return true;
}
