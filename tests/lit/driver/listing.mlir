// RUN: smalti-opt --list-passes | filecheck %s --check-prefix PASSES
// RUN: smalti-opt --list-passes --json | filecheck %s --check-prefix PASSES-JSON
// RUN: smalti-opt --list-dialects | filecheck %s --check-prefix DIALECTS
// RUN: smalti-opt --list-dialects --json | filecheck %s --check-prefix DIALECTS-JSON
// RUN: smalti-opt --help-pass tile-assign-addresses | filecheck %s --check-prefix HELP
// RUN: smalti-opt --help-pass cse | filecheck %s --check-prefix CSE
// RUN: smalti-opt --show-dialects | filecheck %s --check-prefix SHOW

// PASSES:      cse {{ +}}Merge ops that compute the same value
// PASSES:      tile-assign-addresses  Place buffers by their lifetimes in program order.
// PASSES-NEXT: slack=int (default 12): {{.+}}
// PASSES:      top-annotate-calibration
// PASSES-NEXT: table=str (must be given): {{.+}}

// PASSES-JSON:      "name": "tile-assign-addresses",
// PASSES-JSON-NEXT: "level": "tile",
// PASSES-JSON-NEXT: "summary": "Place buffers by their lifetimes in program order.",
// PASSES-JSON:      "options": [
// PASSES-JSON-NEXT: {
// PASSES-JSON-NEXT: "name": "slack",
// PASSES-JSON-NEXT: "type": "int",
// PASSES-JSON-NEXT: "default": "12",
// PASSES-JSON-NEXT: "documentation": "{{.+}}"
// PASSES-JSON:      "statistics": {

// DIALECTS:      quant {{ *[0-9]+}} ops {{ *[0-9]+}} types and attributes  The quant dialect:
// DIALECTS-NEXT: top {{.*}}  The top dialect:

// DIALECTS-JSON:      "name": "top.conv2d",
// DIALECTS-JSON-NEXT: "summary": "2-D convolution;
// DIALECTS-JSON:      "operands": [
// DIALECTS-JSON-NEXT: {
// DIALECTS-JSON-NEXT: "name": "input",
// DIALECTS-JSON-NEXT: "arity": "one"
// DIALECTS-JSON:      "name": "bias",
// DIALECTS-JSON-NEXT: "arity": "optional"

// HELP:      tile-assign-addresses (level tile)
// HELP:      Place buffers by their lifetimes in program order.
// HELP:      options:
// HELP-NEXT:   slack=int (default 12): {{.+}}
// HELP:      counts (--mlir-pass-statistics):
// HELP:      local_bytes: {{.+}}

// CSE:      cse (any level)
// CSE:      Before:
// CSE:      top.add "c" %a, %b
// CSE:      After:
// CSE:      top.add "c" %a, %a
// CSE:      options:
// CSE-NEXT: none

// SHOW: Available Dialects: builtin,func,isa,quant,tile,top,tpu
