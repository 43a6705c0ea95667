"""The dead man's switch: an address elsewhere that is called while all is well, so that somebody hears when it is not called any more.

It is called by the same guarded POST as receivers of alerts, with an empty body: nothing of the evidence leaves with it. Any 2xx means heard.
"""

from shared.errors import Misuse
from shared.seal.attestor import Owed
from shared.seal.post import Post
from shared.service.attestors import authorities
from shared.settings import Settings


def beat(settings: Settings) -> str | None:
    """Call the address of the settings; None where it heard, else why it did not.

    Raises:
        Misuse: none is set.
    """
    if settings.heartbeat_url is None:
        raise Misuse("EVIDENCE_HEARTBEAT_URL is not set")
    post = Post(ca_file=authorities(settings), proxies=False, public=settings.cloud != "loopback")
    try:
        answer = post(settings.heartbeat_url, b"", {})
    except Owed as error:
        return f"the heartbeat was not heard: {error}"
    return None if 200 <= answer.status < 300 else str(answer.refused("the heartbeat was not heard"))
