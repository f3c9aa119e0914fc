"""The actions of a server, `POST /servers/{server}/action`, as of Nova 34.

Host names (of `migrate`, `os-migrateLive`, `evacuate`, `unshelve`) mean something only inside the
server's pod, which alone can say whether there is such a host; another pod's name before one is
refused.
"""

from collections.abc import Mapping
from types import MappingProxyType

from control_plane.services.action import Action
from control_plane.services.operation import Kind, Ref

_PLAIN = Action()
_GONE = Action(Kind.STATIC)
#: A shelved server's image is in no answer.
_SHELVED = Action(creates="image")
_IMAGE = Action(creates="image", made="image_id")
#: The last microversions of the proxies to Neutron and of the old console actions.
_ADDRESSES = "2.43"
_CONSOLES = "2.5"

SERVER_ACTIONS: Mapping[str, Action] = MappingProxyType(
    {
        "os-start": _PLAIN,
        "os-stop": _PLAIN,
        "reboot": _PLAIN,
        "pause": _PLAIN,
        "unpause": _PLAIN,
        "suspend": _PLAIN,
        "resume": _PLAIN,
        "lock": _PLAIN,
        "unlock": _PLAIN,
        "shelve": _SHELVED,
        "shelveOffload": _PLAIN,
        "restore": _PLAIN,
        "confirmResize": _PLAIN,
        "revertResize": _PLAIN,
        "os-resetState": _PLAIN,
        "changePassword": _PLAIN,
        "injectNetworkInfo": _PLAIN,
        "trigger_crash_dump": Action(since="2.17"),
        "os-getConsoleOutput": _PLAIN,
        "forceDelete": Action(ends=True),
        "rescue": Action(copies=(Ref("image", "rescue.rescue_image_ref"),)),
        "unrescue": _PLAIN,
        # The key pair is one of the caller's own, whoever made the server.
        "rebuild": Action(
            copies=(Ref("image", "rebuild.imageRef"),), brings=(Ref("keypair", "rebuild.key_name"),)
        ),
        "resize": Action(copies=(Ref("flavor", "resize.flavorRef"),)),
        "createImage": _IMAGE,
        "createBackup": _IMAGE,
        # A group is named by its name or its id.
        "addSecurityGroup": Action(copies=(Ref("security_group", "addSecurityGroup.name"),)),
        "removeSecurityGroup": Action(copies=(Ref("security_group", "removeSecurityGroup.name"),)),
        "addFixedIp": Action(
            Kind.CROSS,
            until=_ADDRESSES,
            same_pod=(Ref("network", "addFixedIp.networkId"),),
        ),
        "removeFixedIp": Action(Kind.CROSS, until=_ADDRESSES),
        "addFloatingIp": Action(Kind.CROSS, until=_ADDRESSES),
        "removeFloatingIp": Action(Kind.CROSS, until=_ADDRESSES),
        "os-getVNCConsole": Action(until=_CONSOLES),
        "os-getSPICEConsole": Action(until=_CONSOLES),
        "os-getSerialConsole": Action(until=_CONSOLES),
        "migrate": Action(Kind.CROSS, hosts=("migrate.host",)),
        "os-migrateLive": Action(Kind.CROSS, hosts=("os-migrateLive.host",)),
        "evacuate": Action(Kind.CROSS, hosts=("evacuate.host",)),
        "unshelve": Action(Kind.CROSS, zone="unshelve.availability_zone", hosts=("unshelve.host",)),
        "os-getRDPConsole": Action(until=_CONSOLES),
        "resetNetwork": _GONE,
    }
)
