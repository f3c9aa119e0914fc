/* The headers of one request, as tests give them to the module of known ids. */
#pragma once

#include "../../envoy/module/abi.h"

struct request;

struct request *request_new(void);
void request_add(struct request *request, const char *name, size_t name_length, const char *value,
                 size_t value_length);
size_t request_count(const struct request *request);
void request_read(const struct request *request, size_t index, envoy_header *header);
void request_free(struct request *request);
