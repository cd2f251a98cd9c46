import HTTP

/// What all exchanges of a loop use in turn while they look at one piece of input: memory that is kept from one to the
/// next, so that an ordinary exchange allocates nothing. Nothing in it outlives a call.
final class Workbench {
    var request = RequestHead()
    var response = ResponseHead()
    var writer = HeadWriter(reserving: 160 << 10)
}
