func.func @one() {
  func.return
}
// part
func.func @two() {
  func.return
}
