rule activations:
    input:
        unpack(job.images),
        **job.made_by("activations"),
        cam=job.weights("cam"),
        segmenter=job.weights("segmenter"),
        maps=job.maps,
    output:
        **leaves("activations"),
    log:
        log_of("activations"),
    conda:
        "../../envs/matlabel.yaml"
    threads: job.threads
    resources:
        **job.resources(gpu=True),
    params:
        code=job.digest("activations"),
        source=job.options("segmenter", "maps", weights="cam"),
    shell:
        "matlabel activations --settings {input.settings} --dataset {input.manifest} {params.source}"
        " --out {output.main} --device {resources.device} --code {params.code} > {log} 2>&1"
