/* Random requests and decisions, with a plain table beside them: `fuzz SEED STEPS`.
 *
 * What the module says must be the newest decision of just this method, path and version, by the
 * script that speaks; it may have forgotten it. The sanitizers look at the rest.
 */
#include "envoy.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint32_t trio2o_known_begin_1(const char *name, size_t length, size_t capacity);
void trio2o_known_clear(uint32_t script);
size_t trio2o_known_count(void);
void trio2o_known_forget(const char *id, size_t length);
bool trio2o_known_describe(uint32_t script, const char *name, size_t name_length, const char *text,
                           size_t length);
const char *trio2o_known_words(const char *name, size_t name_length, size_t *length);
bool trio2o_known_keep(uint32_t script, const char *method, size_t method_length, const char *path,
                       size_t path_length, const char *version, size_t version_length,
                       uint8_t said_in, const char *id, size_t id_length, size_t cut,
                       const char *prefix, size_t prefix_length, const char *cluster,
                       size_t cluster_length, bool seen);

enum { IDS = 40, TAILS = 5, METHODS = 2, VERSIONS = 3, PLACES = 3, PODS = 4, LONG = 1500 };

struct known {
  bool there, seen;
  unsigned pod;
};

static struct known model[IDS][TAILS][METHODS][VERSIONS][PLACES];
static const char *const tails[TAILS] = {"", "/ips", "/metadata/\xc3\xa9", "/metadata/%2F", NULL};
static const char *const methods[METHODS] = {"GET", "DELETE"};
static const char *const versions[VERSIONS] = {"2.1", "compute 2.50", "x"};
static const char *const places[PLACES] = {"", "openstack-api-version",
                                           "x-openstack-nova-api-version"};
static const char *const forged[] = {"x-trio2o-early-known", "x-trio2o-early-seen", "x-trio2o-lane",
                                     "x-trio2o-", "x-envoy-", "x-envoy-original-path"};
static const char *const passing[] = {"x-trio2o", "x-auth-token", "o", "x", "accept", "x-env",
                                      "openstack-api-versions"};
static const char *const prefixes[PODS] = {"", "/compute", "/a/rather/long/beginning", "/p"};
static uint32_t speaks;
static uint64_t state;

#define CHOSEN(list) ((list)[chance(sizeof(list) / sizeof *(list))])

static unsigned chance(size_t of) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (unsigned)(state % of);
}

static void expect(bool holds, const char *what) {
  if (holds) return;
  fprintf(stderr, "broken: %s\n", what);
  abort();
}

struct key {
  unsigned id, tail, method, version, place;
};

static struct key some_key(void) {
  struct key key = {chance(IDS), chance(TAILS), chance(METHODS), chance(VERSIONS), chance(PLACES)};
  if (key.place == 0) key.version = 0;
  return key;
}

static struct known *known(struct key key) {
  return &model[key.id][key.tail][key.method][key.version][key.place];
}

static size_t write_path(char *path, const char *before, struct key key) {
  if (tails[key.tail]) {
    return (size_t)sprintf(path, "%s/v2.1/servers/id-%u%s", before, key.id, tails[key.tail]);
  }
  /* Around the longest that is kept. */
  int length = sprintf(path, "%s/v2.1/servers/id-%u/", before, key.id);
  size_t more = 960 + key.id;
  memset(path + length, 'l', more);
  return (size_t)length + more;
}

static const char *version_of(struct key key) { return key.place ? versions[key.version] : ""; }

static void keep(void) {
  struct key key = some_key();
  unsigned pod = chance(PODS);
  bool seen = chance(2) == 0, stale = chance(16) == 0;
  char path[LONG], id[16], cluster[16];
  size_t length = write_path(path, "/compute", key);
  int id_length = sprintf(id, "id-%u", key.id), size = sprintf(cluster, "Pod%u/compute", pod);
  const char *method = methods[key.method], *version = version_of(key);
  bool kept = trio2o_known_keep(
      speaks - stale, method, strlen(method), path, length, version, strlen(version),
      (uint8_t)key.place, id, (size_t)id_length, strlen("/compute"), prefixes[pod],
      strlen(prefixes[pod]), cluster, (size_t)size, seen);
  expect(!(stale && kept), "a script that was replaced is heard");
  /* What is not kept, for want of room, is none of what was said before. */
  if (!stale) *known(key) = (struct known){kept, seen, pod};
}

static void add(struct request *request, const char *name, const char *value) {
  request_add(request, name, strlen(name), value, strlen(value));
}

/* Adds what else a request may say; gives whether the module must leave it to Lua. */
static bool add_noise(struct request *request, struct key key) {
  bool left = false;
  for (unsigned count = chance(200) ? chance(4) : chance(300); count; count--) {
    if (chance(2)) {
      add(request, CHOSEN(forged), "Pod9/compute");
    } else {
      add(request, CHOSEN(passing), "2.1");
    }
  }
  if (chance(20) == 0) {
    add(request, "x-trio2o-explain", "1");
    left = true;
  }
  if (chance(20) == 0) {
    /* A second version, or one that says nothing. */
    add(request, places[1 + chance(2)], key.place ? "2.1" : "");
    left = true;
  }
  return left;
}

static void check(struct request *request, struct key key, bool left, const char *query) {
  const struct known *expected = known(key);
  char path[LONG];
  size_t length = write_path(path, "/compute", key);
  length += (size_t)sprintf(path + length, "%s", query);
  const char *cluster = NULL, *name = NULL, *got = NULL;
  size_t cluster_length = 0, got_length = 0;
  for (size_t index = 0; index < request_count(request); index++) {
    envoy_header header;
    request_read(request, index, &header);
    expect(strncmp(header.key_ptr, "x-envoy-", 8) != 0, "x-envoy- passes");
    if (strcmp(header.key_ptr, ":path") == 0) {
      got = header.value_ptr;
      got_length = header.value_length;
    }
    if (strncmp(header.key_ptr, "x-trio2o-e", 10) == 0 &&
        strcmp(header.key_ptr, "x-trio2o-explain") != 0) {
      expect(!cluster, "decided twice");
      cluster = header.value_ptr;
      cluster_length = header.value_length;
      name = header.key_ptr;
    } else {
      expect(strncmp(header.key_ptr, "x-trio2o-", 9) != 0 ||
                 strcmp(header.key_ptr, "x-trio2o-explain") == 0,
             "a forged header passes");
    }
  }
  if (cluster) {
    char there[16];
    int size = sprintf(there, "Pod%u/compute", expected->pod);
    expect(expected->there && !left, "decided what is Lua's");
    expect(cluster_length == (size_t)size && !memcmp(cluster, there, cluster_length), "cluster");
    expect(!strcmp(name, expected->seen ? "x-trio2o-early-seen" : "x-trio2o-early-known"), "name");
    length = write_path(path, prefixes[expected->pod], key);
    length += (size_t)sprintf(path + length, "%s", query);
  }
  expect(got && got_length == length && !memcmp(got, path, length), "the path");
}

static void ask(void) {
  static const char *const queries[] = {"", "?", "?a=b", "?x=/v2.1/servers/id-1?y"};
  struct key key = some_key();
  struct request *request = request_new();
  const char *query = CHOSEN(queries);
  char path[LONG];
  size_t length = write_path(path, "/compute", key);
  length += (size_t)sprintf(path + length, "%s", query);
  bool left = add_noise(request, key);
  add(request, ":method", methods[key.method]);
  request_add(request, ":path", 5, path, length);
  if (key.place) add(request, places[key.place], version_of(key));
  expect(envoy_dynamic_module_on_early_header_mutation_mutate(NULL, request), "goes on");
  check(request, key, left, query);
  request_free(request);
}

static void forget(void) {
  unsigned id = chance(IDS);
  char text[16];
  int length = sprintf(text, "id-%u", id);
  trio2o_known_forget(text, (size_t)length);
  memset(model[id], 0, sizeof model[id]);
}

static void begin(void) {
  char name[16];
  int length = sprintf(name, "script %u", chance(3));
  uint32_t before = speaks;
  speaks = trio2o_known_begin_1(name, (size_t)length, chance(4) ? 1 + chance(300) : 0);
  if (speaks != before) memset(model, 0, sizeof model);
}

static void describe(void) {
  static char text[70000];
  char name[16];
  size_t length = chance(100) ? chance(300) : chance(sizeof text), got = 1;
  int size = sprintf(name, "Pod%u", chance(600));
  memset(text, (int)('a' + chance(26)), length);
  if (!trio2o_known_describe(speaks, name, (size_t)size, text, length)) {
    expect(length > 65536, "refused");
    return;
  }
  const char *said = trio2o_known_words(name, (size_t)size, &got);
  expect(said && got == length && (!length || !memcmp(said, text, length)), "the words");
}

int main(int count, char **arguments) {
  if (count != 3) return 2;
  state = strtoull(arguments[1], NULL, 10) * 2 + 1;
  expect(envoy_dynamic_module_on_program_init() != NULL, "init");
  begin();
  for (unsigned long left = strtoul(arguments[2], NULL, 10); left; left--) {
    unsigned step = chance(1000);
    if (step < 400) keep();
    else if (step < 950) ask();
    else if (step < 985) forget();
    else if (step < 997) describe();
    else if (step < 998) trio2o_known_clear(speaks - chance(2));
    else begin();
  }
  printf("%zu kept\n", trio2o_known_count());
  return 0;
}
