rule predictions:
    input:
        unpack(job.images),
        **job.made_by("predictions"),
        weights=job.weights("segmenter"),
    output:
        **leaves("predictions"),
        png=directory(png_of("predictions")),
    log:
        log_of("predictions"),
    conda:
        "../../envs/matlabel.yaml"
    threads: job.threads
    resources:
        **job.resources(gpu=True),
    params:
        code=job.digest("predictions"),
    shell:
        "matlabel predictions --settings {input.settings} --dataset {input.manifest} --weights {input.weights}"
        " --out {output.main} --png {output.png} --device {resources.device} --code {params.code} > {log} 2>&1"
