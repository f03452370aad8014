// RUN: not smalti-opt %s -p "top-fold-shape" 2>&1 | filecheck %s --check-prefix NAME
// RUN: not smalti-opt %s -p "tile-assign-addresses{slak=3}" 2>&1 | filecheck %s --check-prefix OPTION
// RUN: not smalti-opt %s -p "tile-assign-addresses{slack=many}" 2>&1 | filecheck %s --check-prefix TYPE
// RUN: not smalti-opt %s -p "top-annotate-calibration" 2>&1 | filecheck %s --check-prefix MISSING
// RUN: not smalti-opt %s -p "cse,canonicalize{" 2>&1 | filecheck %s --check-prefix OPEN
// RUN: not smalti-opt %s -p "cse,,canonicalize" 2>&1 | filecheck %s --check-prefix EMPTY
// RUN: not smalti-opt %s --pass-pipeline="cse" 2>&1 | filecheck %s --check-prefix ANCHOR
// RUN: not smalti-opt %s --pass-pipeline="func.func(cse)" 2>&1 | filecheck %s --check-prefix FUNC
// RUN: not smalti-opt %s --cse -p "canonicalize" 2>&1 | filecheck %s --check-prefix ORDER
// RUN: not smalti-opt %s --canonicalise 2>&1 | filecheck %s --check-prefix FLAG
// RUN: not smalti-opt %s --cse="x=1" 2>&1 | filecheck %s --check-prefix NONE
// RUN: not smalti-opt --help-pass cs 2>&1 | filecheck %s --check-prefix HELP
// RUN: not smalti-opt %s --cse --mlir-print-ir-after=csr 2>&1 | filecheck %s --check-prefix PRINT

// NAME:      error: there is no pass 'top-fold-shape'
// NAME-NEXT: hint: did you mean top-fold-shapes

// OPTION:      pass 'tile-assign-addresses': error: no option 'slak' (there is: slack)
// OPTION-NEXT: hint: did you mean slack?

// TYPE: pass 'tile-assign-addresses': error: option 'slack' is many, expected int

// MISSING:      pass 'top-annotate-calibration': error: option 'table' is missing
// MISSING-NEXT: hint: write top-annotate-calibration{table=...}

// OPEN:      pipeline 'cse,canonicalize{': error: the pipeline does not parse
// OPEN-NEXT: note: '{' is not closed
// OPEN-NEXT: hint: write passes as a,b{option=1 other=x}, or builtin.module(a,b{option=1})

// EMPTY:      pipeline 'cse,,canonicalize': error: the pipeline does not parse
// EMPTY-NEXT: note: a pass was expected on both sides of a comma

// ANCHOR:      error: --pass-pipeline says what it runs on first, got 'cse'
// ANCHOR-NEXT: hint: write --pass-pipeline='builtin.module(cse)', or -p without it

// FUNC: pipeline 'func.func(cse)': error: passes run on builtin.module, not on 'func.func'

// ORDER:      error: passes are given as flags and as a pipeline, which leaves their order open
// ORDER-NEXT: hint: write all as flags, or all in one pipeline

// FLAG: smalti-opt: error: unknown argument '--canonicalise' (did you mean --canonicalize?)

// NONE: pass 'cse': error: no option 'x' (there is: none)

// HELP:      error: there is no pass 'cs'
// HELP-NEXT: hint: did you mean cse?

// PRINT:      error: there is no pass 'csr'
// PRINT-NEXT: hint: did you mean cse?
