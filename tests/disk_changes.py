"""Changes of the disk, one of which is disturbed."""


def disturbed_at(number, end):
    """What wraps functions that change the disk, and the count of their calls.

    Args:
        number: the call, from 1, that is disturbed.
        end: is called instead of it, such as to kill this process; after half of the change if that is given.
    """
    count = [0]

    def wrap(function, half=None):
        def call(*arguments, **options):
            count[0] += 1
            if count[0] == number:
                if half:
                    half(*arguments)
                end()
            return function(*arguments, **options)

        return call

    return wrap, count
