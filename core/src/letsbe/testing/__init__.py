"""The test kit for plugin authors: what the core lends a plugin, without the core.

Nothing here starts a server, opens a vault or touches a file outside the folder it is
given::

    from letsbe.testing import FakeExecution, make_call, make_site

    executor = FileExecutor(make_site(tmp_path))
    call = make_call(executor.actions[0], {"path": "notes.txt"})
    verdict = executor.classify(call)
    result = await executor.execute(call, verdict, FakeExecution())
"""

from letsbe.testing._billing import BillingBackendContract
from letsbe.testing._calls import make_call, make_site
from letsbe.testing._execution import FakeExecution
from letsbe.testing._executor_contract import ExecutorContract
from letsbe.testing._installs import cached_install, node_environment
from letsbe.testing._notifier_contract import Arrivals, NotifierContract
from letsbe.testing._redactor_contract import RedactionLayerContract, texts_with
from letsbe.testing._secrets import FakeSecrets
from letsbe.testing._servers import FakeTool, serve_fake
from letsbe.testing._tool_contract import ToolAdapterContract
from letsbe.testing._tools import ToolCaller
from letsbe.testing._vendor_documents import SentRequest, VendorDocument
from letsbe.testing._wire import Received, Reply

__all__ = [
    "Arrivals",
    "BillingBackendContract",
    "ExecutorContract",
    "FakeExecution",
    "FakeSecrets",
    "FakeTool",
    "NotifierContract",
    "Received",
    "RedactionLayerContract",
    "Reply",
    "SentRequest",
    "ToolAdapterContract",
    "ToolCaller",
    "VendorDocument",
    "cached_install",
    "make_call",
    "make_site",
    "node_environment",
    "serve_fake",
    "texts_with",
]
