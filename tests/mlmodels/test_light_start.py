"""Web processes stay light: importing every address and asking for a run loads no torch, timm or spaCy."""

import subprocess
import sys


def test_the_web_side_imports_no_network_library():
    code = (
        "import sys, django; django.setup();"
        "import tagger.urls, mlmodels.api.urls, mlmodels.tasks, mlmodels.services.training;"
        "heavy = {'torch', 'torchvision', 'timm', 'spacy', 'openvino', 'onnx', 'onnxruntime'} & set(sys.modules);"
        "sys.exit(', '.join(sorted(heavy)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
