module {
  func.func @f() { return loc(#loc1) }
}
#loc2 = loc("a":1:1)
#loc1 = loc("x"(#loc9))
