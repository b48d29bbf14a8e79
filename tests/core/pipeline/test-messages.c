/* tests/core/pipeline/test-messages.c - SPDX-License-Identifier: MIT */
#include "reading.h"

/* Every row makes one change in a file and expects one message, whole. Errors that the unchanged
 * file has (sections of later versions) are left out of the comparison. */
typedef struct {
    const char *path;
    const char *file;
    const char *from;
    const char *to;
    const char *arguments; /* separated by tabs */
    const char *line;
} Row;

/* The reference's own rows, by their numbers there. Waiting: 22 and 29 to 31 (they need shapes), 34
 * to 36 (exits). 39 and 40 are in test-study.c. */
static const Row reference[] = {
    {"1", "first.yaml", "  stem:", "\tstem:", NULL,
     "first.yaml:6:1: error: a tab cannot indent; use spaces"},
    {"2", "first.yaml", "{units: 2}}]", "{units: 2}}", NULL,
     "first.yaml:11:9: error: '[' is never closed"},
    {"3", "first.yaml", "adit: 1\n", "", NULL,
     "first.yaml:1:1: error: the first key must be 'adit: 1', got 'params'"},
    {"4", "first.yaml", "train:", "trian:", NULL,
     "first.yaml:14:1: error: unknown section 'trian'; did you mean 'train'?"},
    {"5", "first.yaml", "probes:", "train:", NULL,
     "first.yaml:21:1: error: key 'train' is already set in line 14"},
    {"6", "first.yaml", "samples: 400", "samples: !int 400", NULL,
     "first.yaml:4:25: error: tag '!int' is not allowed"},
    {"7", "first.yaml", "units: $width", "units: ${width}", NULL,
     "first.yaml:6:26: error: '${' does not substitute; write $name, or $(...) to compute"},
    {"8", "first.yaml", "at: trunk.*", "at: *:pre", NULL,
     "first.yaml:21:28: error: an address that begins with '*' must be quoted: \"*:pre\""},
    {"9", "first.yaml", "dense: {units: 2}", "densee: {units: 2}", NULL,
     "first.yaml:11:11: error: unknown block 'densee'; did you mean 'dense'?"},
    {"10", "first.yaml", "units: 2", "unit: 2", NULL,
     "first.yaml:11:19: error: unknown parameter 'unit' of block 'dense'; did you mean 'units'?"},
    {"11", "first.yaml", "units: 2", "units: two", NULL,
     "first.yaml:11:26: error: 'units' must be an integer or a percentage of the input, got "
     "\"two\""},
    {"12", "first.yaml", "lr: 0.01", "lr: .nan", NULL,
     "first.yaml:16:26: error: 'lr' must be finite, got .nan"},
    {"13", "first.yaml", "noise: 0.1", "noise: 0,1", NULL,
     "first.yaml:4:39: error: unknown parameter '1' of dataset 'moons'; decimals take a point"},
    {"14", "first.yaml", "times: $depth", "times: 99999999999999999999", NULL,
     "first.yaml:10:25: error: 'times' must be in 0..65536, got 99999999999999999999"},
    {"15", "first.yaml", "{dense: {units: 2}}", "{dense: {units: 2}, relu: {}}", NULL,
     "first.yaml:11:30: error: a block has one name, got 2 ('dense', 'relu'); a list item holds "
     "one"},
    {"16", "first.yaml", "{dense: {units: 2}}", "{relu: }", NULL,
     "first.yaml:11:11: error: 'relu' has no parameters here; write 'relu' without the colon, or "
     "'relu: {}'"},
    {"17", "first.yaml", "aggregator: glonet", "aggregator: dense", NULL,
     "first.yaml:8:17: error: 'dense' is a block, not an aggregator (chain, concat, glonet, "
     "residual)"},
    {"18", "first.yaml", "$depth", "$dept", NULL,
     "first.yaml:10:25: error: no parameter 'dept' here; did you mean 'depth'?"},
    {"19", "first.yaml", "$depth", "$(depth-1)", NULL,
     "first.yaml:10:25: error: no parameter 'depth-1' here; write $(depth - 1) for a difference"},
    {"20", "first.yaml", "$depth", "$(depth / 3)", NULL,
     "first.yaml:10:25: error: 'times' must be an integer in 0..65536, got 6.66667 from "
     "$(depth / 3)"},
    {"21", "first.yaml", "units: $width, a", "units: {linear: {from: 1, to: 8}}, a", NULL,
     "first.yaml:10:58: error: 'units' is fixed when the network is built and takes no schedule"},
    {"23", "first.yaml", NULL, NULL, "dept=3",
     "command-line:3:1: error: no parameter 'dept' in first.yaml; did you mean 'depth'?"},
    {"24", "first.yaml", NULL, NULL, "depth=ten",
     "command-line:3:8: error: 'depth' is an integer (default 20 in first.yaml:3), got \"ten\""},
    {"25", "first.yaml", NULL, NULL, "-o\ttrain.optimizer.sgd.lr=0.1",
     "command-line:4:1: error: 'train.optimizer' is 'adam' (first.yaml:16), not 'sgd'"},
    {"26", "sgemm.yaml", NULL, NULL, "arch=glonett",
     "command-line:3:7: error: unknown block 'glonett'; did you mean 'glonet'?"},
    {"27", "sgemm.yaml", NULL, NULL, "arch=vanilla\tdepth=25",
     "sgemm.yaml:10:68: error: 'times' must be an integer in 0..65536, got 12.5 from "
     "$(depth / 2)"},
    {"28", "sgemm.yaml", "product.csv", "products.csv", NULL,
     "sgemm.yaml:5:15: error: no file '$data/sgemm/sgemm_products.csv'; $data is DATA (ADIT_DATA "
     "or --data)"},
    {"32", "resnet20.yaml", "[{simple: {filters: $filters, stride: $stride}}",
     "[{residual-block: {filters: $filters}}", NULL,
     "resnet20.yaml:11:63: error: part 'residual-block' uses itself (residual-block -> "
     "residual-block)"},
    {"33", "moons-net.yaml", "shuffle: false", "shuffle: no", NULL,
     "moons-net.yaml:10:85: error: 'shuffle' must be true or false, got \"no\""},
    {"37", "nested.yaml", "acme:swish", "zeta:swish", NULL,
     "nested.yaml:5:109: error: unknown block 'zeta:swish'; no block-zeta-swish.so among installed "
     "plugins and in ADIT_PLUGIN_PATH"},
    {"38", "truncation.yaml", NULL, NULL, NULL,
     "truncation.yaml:5:15: error: 'run' has no default; give it: adit run FILE run=..."},
};

/* More of the same, on the small file below. */
#define SMALL                                                                                      \
    "adit: 1\n"                                                                                    \
    "params: {depth: 4, rate: 0.1, wide: true, word: relu, list: [1, 2]}\n"                        \
    "data: {moons: {samples: 400, noise: 0.1, test: 25%}}\n"                                       \
    "parts:\n"                                                                                     \
    "  cell: {params: {units: ~, times: 1}, blocks: [{dense: {units: $units}}]}\n"                 \
    "model:\n"                                                                                     \
    "  stem: [{dense: {units: 8}}]\n"                                                              \
    "  trunk: [{repeat: {times: $depth, blocks: [{cell: {units: 8}}]}}]\n"                         \
    "  head: [{dense: {units: 2}}]\n"                                                              \
    "train: {loss: cross-entropy, optimizer: {adam: {lr: 0.01}}, batch: 32, epochs: 5}\n"          \
    "probes: [{block-norm: {at: trunk.*}}]\n"

static const Row own[] = {
    /* form */
    {"second-document", NULL, "probes:", "---\nprobes:", NULL,
     "small.yaml:11:1: error: a file holds one document; this starts another"},
    {"merge-key", NULL, "{units: 2}", "{<<: {units: 2}}", NULL,
     "small.yaml:9:19: error: merge key '<<' is not allowed; what repeats is a part"},
    {"unclosed-quote", NULL, "word: relu", "word: \"relu", NULL,
     "small.yaml:2:49: error: the quote is never closed"},
    {"unclosed-brace", NULL, "{loss: cross-entropy", "{loss: {mse: {}", NULL,
     "small.yaml:10:8: error: '{' is never closed"},
    {"missing-comma", NULL, "samples: 400, noise", "samples: {} noise", NULL,
     "small.yaml:3:28: error: a ',' or '}' is missing here"},
    {"percent-sign", NULL, "word: relu", "word: %relu", NULL,
     "small.yaml:2:49: error: text that begins with '%' must be quoted: \"%relu\""},
    {"unknown-anchor", NULL, "at: trunk.*", "at: *trunk", NULL,
     "small.yaml:11:28: error: no anchor 'trunk' above; an address that begins with '*' must be "
     "quoted: \"*trunk\""},
    {"list-as-key", NULL, "word: relu", "[word]: relu", NULL,
     "small.yaml:2:43: error: a key must be a word, not a list or a mapping"},
    {"colon-twice", NULL, "train: {loss", "train: loss: {loss", NULL,
     "small.yaml:10:12: error: a ':' cannot stand here; quote text that holds ': '"},
    {"version", NULL, "adit: 1", "adit: 2", NULL,
     "small.yaml:1:7: error: this program reads 'adit: 1', got 2"},
    /* substitution */
    {"lone-dollar", NULL, "word: relu", "word: 5$", NULL,
     "small.yaml:2:50: error: '$' begins $name or $(...); write $$ for a dollar"},
    {"open-sum", NULL, "$depth", "$(depth", NULL, "small.yaml:8:28: error: '$(' is never closed"},
    {"no-blanks", NULL, "$depth", "$(depth/2)", NULL,
     "small.yaml:8:28: error: '/' stands between blanks in $(depth/2)"},
    {"by-zero", NULL, "$depth", "$(depth / 0)", NULL,
     "small.yaml:8:28: error: $(depth / 0) divides by zero"},
    {"no-number", NULL, "$depth", "$(word + 1)", NULL,
     "small.yaml:8:28: error: 'word' is not a number to compute with, but \"relu\""},
    {"too-large", NULL, "$depth", "$(10 ^ 30)", NULL,
     "small.yaml:8:28: error: $(10 ^ 30) is too large an integer"},
    {"no-operator", NULL, "$depth", "$(depth 2)", NULL,
     "small.yaml:8:28: error: an operator is missing before '2' in $(depth 2)"},
    {"strange-sign", NULL, "$depth", "$(depth & 2)", NULL,
     "small.yaml:8:28: error: an operator is missing before '& 2' in $(depth & 2)"},
    {"ends-early", NULL, "$depth", "$(depth + )", NULL,
     "small.yaml:8:28: error: $(depth + ) ends too early"},
    {"list-in-text", NULL, "at: trunk.*", "at: trunk.$list", NULL,
     "small.yaml:11:34: error: '$list' is a list and cannot stand within text"},
    {"above-only", NULL, "depth: 4", "depth: $rate", NULL,
     "small.yaml:2:17: error: no parameter 'rate' here"},
    /* values */
    {"integer", NULL, "epochs: 5", "epochs: 5.5", NULL,
     "small.yaml:10:80: error: 'epochs' must be an integer in 1..2147483647, got 5.5"},
    {"share-as-number", NULL, "batch: 32", "batch: 0.5", NULL,
     "small.yaml:10:68: error: 'batch' must be a count or a percentage, got 0.5; a share is "
     "written 50%"},
    {"too-much", NULL, "test: 25%", "test: 125%", NULL,
     "small.yaml:3:48: error: 'test' must be in 0..100%, got \"125%\""},
    {"null", NULL, "lr: 0.01", "lr: ~", NULL,
     "small.yaml:10:53: error: 'lr' must be a number or a schedule, got null"},
    {"quoted-number", NULL, "lr: 0.01", "lr: \"0.01\"", NULL,
     "small.yaml:10:53: error: 'lr' must be a number or a schedule, got \"0.01\""},
    {"choice", NULL, "test: 25%", "standardize: feature", NULL,
     "small.yaml:3:55: error: 'standardize' must be one of none, features, channels, got "
     "\"feature\"; did you mean 'features'?"},
    {"number-or-word", NULL, "{dense: {units: 8}}", "{conv: {filters: 8, padding: full}}", NULL,
     "small.yaml:7:39: error: 'padding' must be same, valid, end or an integer in 0..1000000, got "
     "\"full\""},
    {"number-or-word-range", NULL, "{dense: {units: 8}}", "{conv: {filters: 8, padding: -1}}", NULL,
     "small.yaml:7:39: error: 'padding' must be in 0..1000000, got -1"},
    {"recompute", NULL, "epochs: 5", "epochs: 5, recompute: 2", NULL,
     "small.yaml:10:94: error: 'recompute' must be true or false, got 2"},
    {"no-unit", NULL, "epochs: 5", "epochs: 5, max-time: 30", NULL,
     "small.yaml:10:93: error: 'max-time' must be a time (ms, s, min or h), got 30; a unit is "
     "missing"},
    {"steps", NULL, "epochs: 5", "epochs: 5, patience: 5 stepps", NULL,
     "small.yaml:10:93: error: 'patience' must be a number of epochs or \"N steps\", got "
     "\"5 stepps\""},
    {"negative", NULL, "epochs: 5", "epochs: 5, clip: -1", NULL,
     "small.yaml:10:89: error: 'clip' must be at least 0, got -1"},
    {"mapping-for-number", NULL, "epochs: 5", "epochs: {a: 1}", NULL,
     "small.yaml:10:80: error: 'epochs' must be an integer in 1..2147483647, got a mapping"},
    {"empty-addresses", NULL, "at: trunk.*", "at: []", NULL,
     "small.yaml:11:28: error: 'at' must be at least one address, got an empty list"},
    {"list-for-text", NULL, "adit: 1", "adit: 1\ntitle: [a]", NULL,
     "small.yaml:2:8: error: 'title' must be text, got a list"},
    /* components */
    {"required", NULL, "{dense: {units: 2}}", "dense", NULL,
     "small.yaml:9:10: error: block 'dense' needs 'units'"},
    {"scalar-parameters", NULL, "{dense: {units: 2}}", "{dense: 2}", NULL,
     "small.yaml:9:18: error: the parameters of 'dense' must be a mapping, got 2"},
    {"no-name", NULL, "loss: cross-entropy", "loss: 3", NULL,
     "small.yaml:10:15: error: a loss must be a name or 'name: {parameters}', got 3"},
    {"wrong-kind", NULL, "optimizer: {adam: {lr: 0.01}}", "optimizer: mse", NULL,
     "small.yaml:10:41: error: 'mse' is a loss, not an optimizer (adam, adamw, sgd)"},
    {"unknown-far", NULL, "loss: cross-entropy", "loss: happiness", NULL,
     "small.yaml:10:15: error: unknown loss 'happiness'; adit inspect lists those of this build"},
    {"item-list", NULL, "[{dense: {units: 2}}]", "[[relu]]", NULL,
     "small.yaml:9:10: error: an item is one block, got a list; write {sequence: [...]}"},
    {"bare-repeat", NULL, "trunk: [{repeat: {times: $depth, blocks: [{cell: {units: 8}}]}}]",
     "trunk: {repeat: {times: 2, blocks: [relu]}}", NULL,
     "small.yaml:8:11: error: 'repeat' adds to a list; write [{repeat: ...}]"},
    {"repeat-key", NULL, "times: $depth,", "time: $depth, times: 2,", NULL,
     "small.yaml:8:21: error: unknown key 'time' of 'repeat'; did you mean 'times'?"},
    {"repeat-needs", NULL, "times: $depth, ", "", NULL,
     "small.yaml:8:20: error: 'repeat' needs 'times'"},
    {"name-twice", NULL, "[{dense: {units: 2}}]",
     "[{dense: {units: 2, name: a}}, {relu: {name: a}}]", NULL,
     "small.yaml:9:54: error: name 'a' is already taken in line 9"},
    {"name-of-block", NULL, "{dense: {units: 2}}", "{dense: {units: 2, name: relu}}", NULL,
     "small.yaml:9:35: error: 'relu' is a block; an item's name must be another word"},
    {"name-form", NULL, "{dense: {units: 2}}", "{dense: {units: 2, name: Last}}", NULL,
     "small.yaml:9:35: error: the name of an item must be a word of a-z, 0-9 and '-', got "
     "\"Last\""},
    /* paths */
    {"paths-form", NULL, "{dense: {units: 2}}", "{paths: [relu]}", NULL,
     "small.yaml:9:18: error: 'paths' must be a mapping with 'of'"},
    {"paths-need", NULL, "{dense: {units: 2}}", "{paths: {join: sum}}", NULL,
     "small.yaml:9:18: error: 'paths' needs 'of'"},
    {"paths-key", NULL, "{dense: {units: 2}}", "{paths: {of: {a: relu}, joins: sum}}", NULL,
     "small.yaml:9:34: error: unknown key 'joins' of 'paths'; did you mean 'join'?"},
    {"paths-none", NULL, "{dense: {units: 2}}", "{paths: {of: {}}}", NULL,
     "small.yaml:9:23: error: 'of' must be at least one path, {name: sequence, ...}, got an empty "
     "mapping"},
    {"paths-list", NULL, "{dense: {units: 2}}", "{paths: {of: [relu, []]}}", NULL,
     "small.yaml:9:23: error: 'of' must be at least one path, {name: sequence, ...}, got a list"},
    {"paths-named-like-block", NULL, "{dense: {units: 2}}", "{paths: {of: {relu: []}}}", NULL,
     "small.yaml:9:24: error: 'relu' is a block; a path's name must be another word"},
    {"paths-named-like-part", NULL, "{dense: {units: 2}}", "{paths: {of: {cell: []}}}", NULL,
     "small.yaml:9:24: error: 'cell' is a block; a path's name must be another word"},
    {"paths-name-form", NULL, "{dense: {units: 2}}", "{paths: {of: {$depth: []}}}", NULL,
     "small.yaml:9:24: error: the name of a path must be a word of a-z, 0-9 and '-', got "
     "\"$depth\""},
    {"paths-name-twice", NULL, "{dense: {units: 2}}", "{paths: {of: {a: [], a: relu}}}", NULL,
     "small.yaml:9:31: error: key 'a' is already set in line 9"},
    {"paths-join", NULL, "{dense: {units: 2}}", "{paths: {join: average, of: {a: relu}}}", NULL,
     "small.yaml:9:25: error: 'join' must be one of sum, mean, max, product, concat, got "
     "\"average\""},
    {"paths-axis", NULL, "{dense: {units: 2}}", "{paths: {axis: tokens, of: {a: relu}}}", NULL,
     "small.yaml:9:25: error: 'axis' is where 'join: concat' joins; no other join takes it"},
    {"paths-axis-word", NULL, "{dense: {units: 2}}",
     "{paths: {join: concat, axis: height, of: {a: relu}}}", NULL,
     "small.yaml:9:39: error: 'axis' must be one of width, tokens, got \"height\""},
    {"paths-content", NULL, "[{dense: {units: 2}}]", "{paths: {of: {a: [reluu]}}}", NULL,
     "small.yaml:9:27: error: unknown block 'reluu'; did you mean 'relu'?"},
    {"paths-name-of-item", NULL, "{dense: {units: 2}}",
     "{paths: {name: a, of: {a: []}}}, {relu: {name: a}}", NULL,
     "small.yaml:9:57: error: name 'a' is already taken in line 9"},
    {"paths-override", NULL, "[{dense: {units: 2}}]", "{paths: {of: {a: relu}}}",
     "-o\tmodel.head.paths.of.a.tanh.x=1",
     "command-line:4:1: error: 'model.head.paths.of.a' is 'relu' (small.yaml:9), not 'tanh'"},
    /* parts */
    {"part-needs", NULL, "{cell: {units: 8}}", "cell", NULL,
     "small.yaml:8:45: error: part 'cell' needs 'units'"},
    {"part-parameter", NULL, "{cell: {units: 8}}", "{cell: {units: 8, time: 2}}", NULL,
     "small.yaml:8:63: error: unknown parameter 'time' of part 'cell'; did you mean 'times'?"},
    {"part-type", NULL, "{cell: {units: 8}}", "{cell: {units: 8, times: two}}", NULL,
     "small.yaml:8:70: error: 'times' is an integer (default 1 in small.yaml:5), got \"two\""},
    {"part-like-plugin", NULL, "  cell:", "  relu: {blocks: []}\n  cell:", NULL,
     "small.yaml:5:3: error: part 'relu' is named like a block that exists"},
    {"part-like-word", NULL, "  cell:", "  paths: {blocks: []}\n  cell:", NULL,
     "small.yaml:5:3: error: part 'paths' is named like a word of the language"},
    {"part-blocks", NULL, "  cell:", "  none: {about: nothing}\n  cell:", NULL,
     "small.yaml:5:3: error: part 'none' needs 'blocks'"},
    {"unused-part", NULL, "  cell:", "  idle: {blocks: [reluu]}\n  cell:", NULL,
     "small.yaml:5:19: error: unknown block 'reluu'; did you mean 'relu'?"},
    {"unused-loop", NULL, "  cell:", "  a: {blocks: b}\n  b: {blocks: [a]}\n  cell:", NULL,
     "small.yaml:6:16: error: part 'a' uses itself (a -> b -> a)"},
    {"parameter-like-section", NULL, "{depth: 4,", "{depth: 4, data: 3,", NULL,
     "small.yaml:2:20: error: parameter 'data' is named like a section"},
    {"parameter-name", NULL, "{depth: 4,", "{depth: 4, Rate: 3,", NULL,
     "small.yaml:2:20: error: a parameter must be a word of a-z, 0-9 and '-', got \"Rate\""},
    /* addresses */
    {"address-root", NULL, "at: trunk.*", "at: trnk.*", NULL,
     "small.yaml:11:28: error: address 'trnk.*' begins with 'trnk'; did you mean 'trunk'?"},
    {"address-zero", NULL, "at: trunk.*", "at: trunk.0", NULL,
     "small.yaml:11:28: error: items are counted from 1, but address 'trunk.0' says '0'"},
    {"address-range", NULL, "at: trunk.*", "at: trunk.5..2", NULL,
     "small.yaml:11:28: error: range '5..2' in address 'trunk.5..2' runs backwards"},
    {"address-port", NULL, "at: trunk.*", "at: trunk.1:prep", NULL,
     "small.yaml:11:28: error: no port ':prep' in address 'trunk.1:prep'; did you mean ':pre'?"},
    {"address-of-parameters", NULL, "epochs: 5", "epochs: 5, freeze: trunk:pre", NULL,
     "small.yaml:10:91: error: address 'trunk:pre' must name parameters, and ':pre' is a tensor"},
    /* sections */
    {"stage-needs", NULL, ", epochs: 5", "", NULL,
     "small.yaml:10:8: error: 'train' needs 'epochs'"},
    {"stage-key", NULL, "epochs: 5", "epochs: 5, epoch: 4", NULL,
     "small.yaml:10:83: error: unknown key 'epoch' of 'train'; did you mean 'epochs'?"},
    {"metric", NULL, "epochs: 5", "epochs: 5, best: vaildation.loss", NULL,
     "small.yaml:10:89: error: 'best' must be a split and a metric, got \"vaildation.loss\"; did "
     "you mean 'validation.loss'?"},
    {"data-name", NULL, "epochs: 5", "epochs: 5, data: moon", NULL,
     "small.yaml:10:89: error: no data set is named 'moon'; did you mean 'moons'?"},
    {"stage-names", NULL,
     "train: {loss: cross-entropy, optimizer: {adam: {lr: 0.01}}, batch: 32, epochs: 5}",
     "train: [{name: a, loss: cross-entropy, optimizer: adam, batch: 32, epochs: 5}, {name: a}]",
     NULL, "small.yaml:10:80: error: two stages are named 'a'; give one another 'name'"},
    {"check-says-parameter", NULL, "at: trunk.*}", "at: trunk.*, when: often}", NULL,
     "small.yaml:11:43: error: 'when' must be start, end or an epoch, got \"often\""},
    {"exit-head", NULL, "probes:", "exits: [{at: trunk.1}]\nprobes:", NULL,
     "small.yaml:11:9: error: an exit needs 'head': a sequence, or shared, which is the model's "
     "own"},
    {"include-outside", NULL, "adit: 1\n", "adit: 1\ninclude: [../x.yaml]\n", NULL,
     "small.yaml:2:11: error: an included file lies beside or below this one, got \"../x.yaml\""},
    {"include-missing", NULL, "adit: 1\n", "adit: 1\ninclude: x.yaml\n", NULL,
     "small.yaml:2:10: error: no file 'x.yaml'"},
    {"load-alone", NULL, "  stem:", "  load: trunk\n  stem:", NULL,
     "small.yaml:7:9: error: 'load' needs 'from', which says where the weights are"},
    /* overrides */
    {"override-form", NULL, NULL, NULL, "depth",
     "command-line:3:1: error: an override reads 'name=value', got \"depth\""},
    {"override-key", NULL, NULL, NULL, "train.epochs=3",
     "command-line:3:1: error: no parameter 'train.epochs' in small.yaml; a key is set by -o "
     "train.epochs=..."},
    {"override-append", NULL, NULL, NULL, "list+=3",
     "command-line:3:1: error: 'list+=' appends to a key; write -o list+=..."},
    {"override-nothing", NULL, NULL, NULL, "-o\ttrain.patience=~",
     "command-line:4:1: error: nothing is at 'train.patience' that could be taken away"},
    {"override-item", NULL, NULL, NULL, "-o\tprobes.3.block-norm.at=head",
     "command-line:4:1: error: 'probes' has no item '3' but 1; append one with 'probes+='"},
    {"override-scalar", NULL, NULL, NULL, "-o\ttrain.epochs.much=3",
     "command-line:4:1: error: 'train.epochs' is 5 and has no 'much' in it"},
    {"override-choice", "moons-net.yaml", "weight: 1e-4}\ndata: {moons:",
     "weight: 1e-4, set: moons}\ndata: {$set:", "-o\tdata.idx.folder=x",
     "command-line:4:1: error: 'data' is '$set' (moons-net.yaml:4), not 'idx'"},
    {"override-null", NULL, NULL, NULL, "depth=~",
     "command-line:3:8: error: 'depth' must be given a value, got null"},
    {"override-boolean", NULL, NULL, NULL, "wide=1",
     "command-line:3:7: error: 'wide' is true or false (default true in small.yaml:2), got 1"},
    {"override-yaml", NULL, NULL, NULL, "list=[1, 2",
     "command-line:3:7: error: '[' is never closed"},
    {"override-section", NULL, NULL, NULL, "-o\ttrian.epochs=3",
     "command-line:4:1: error: unknown section 'trian'; did you mean 'train'?"},
};

static const char *
get_text(const char *line)
{
    const char *error = strstr(line, "error: ");

    return error != NULL ? error : line;
}

static gboolean
has_line(const AditDiagnostics *diagnostics, const char *text)
{
    for (guint i = 0; i < count_messages(diagnostics); i++) {
        g_autofree char *line = adit_diagnostics_get_line(diagnostics, i);

        if (strcmp(get_text(line), text) == 0)
            return TRUE;
    }
    return FALSE;
}

static char *
make_text(const Row *row)
{
    if (row->file != NULL)
        return read_fixture(row->file, row->from, row->to);
    if (row->from == NULL)
        return g_strdup(SMALL);
    const char *at = strstr(SMALL, row->from);

    g_assert_nonnull(at);
    return g_strdup_printf("%.*s%s%s", (int) (at - SMALL), SMALL, row->to, at + strlen(row->from));
}

static void
test_row(gconstpointer data)
{
    const Row *row = (const Row *) data;
    const char *name = row->file != NULL ? row->file : "small.yaml";
    g_auto(GStrv) arguments = row->arguments != NULL ? g_strsplit(row->arguments, "\t", -1) : NULL;
    g_autoptr(AditDiagnostics) expected = adit_diagnostics_new();
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    g_autofree char *text = make_text(row), *plain = NULL;
    gboolean changed = row->from != NULL || row->arguments != NULL;
    guint found = 0;
    Place place;

    place_enter(&place);
    plain = row->file != NULL ? read_fixture(row->file, NULL, NULL) : g_strdup(SMALL);
    AditExperiment *unchanged = changed ? read_text(&place, name, plain, NULL, expected) : NULL;
    g_autoptr(AditExperiment) experiment =
        read_text(&place, name, text, (const char *const *) arguments, diagnostics);

    g_clear_pointer(&unchanged, adit_experiment_free);
    g_assert_null(experiment);
    for (guint i = 0; i < count_messages(diagnostics); i++) {
        g_autofree char *line = adit_diagnostics_get_line(diagnostics, i);
        g_auto(GStrv) pieces = g_strsplit(line, place.data, -1);
        g_autofree char *told = g_strjoinv("DATA", pieces);

        if (has_line(expected, get_text(line)))
            continue;
        g_assert_cmpstr(told, ==, row->line);
        found++;
    }
    g_assert_cmpuint(found, ==, 1);
    place_leave(&place);
}

static void
add_rows(const char *group, const Row *rows, gsize n)
{
    for (gsize i = 0; i < n; i++) {
        g_autofree char *path = g_strdup_printf("/pipeline/messages/%s/%s", group, rows[i].path);

        g_test_add_data_func(path, &rows[i], test_row);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_rows("reference", reference, G_N_ELEMENTS(reference));
    add_rows("own", own, G_N_ELEMENTS(own));
    return g_test_run();
}
